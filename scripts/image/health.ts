/** The image's health check: 0 where this process answers `GET /health`. */
const scheme = process.env["API_TLS_CERT"] ? "https" : "http";
try {
  const answer = await fetch(`${scheme}://127.0.0.1:${process.env["PORT"] || "3000"}/health`, {
    signal: AbortSignal.timeout(3_000),
    // It asks itself: its certificate is made for another name.
    tls: { rejectUnauthorized: false },
  });
  process.exit(answer.ok ? 0 : 1);
} catch {
  process.exit(1);
}
