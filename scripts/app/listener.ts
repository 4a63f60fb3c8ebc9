import type { Log } from "#runtime";
/**
 * The port of this process, with or without TLS.
 *
 * L1 A renewed certificate is for new connections: a second server takes the port beside the first, which takes no more then
 *    and goes when its last connection has ended. Bun cannot change the certificate of a server that runs.
 * L2 A certificate that cannot be served is an error at the start, and changes nothing later.
 */
import { type CertificateFiles, followCertificate, readCertificate } from "./certificate.ts";

/** What {@link listen} is given: as `Bun.serve`, but for the certificate. */
export interface ListenOptions<Data> {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly idleTimeout: number;
  readonly maxRequestBodySize: number;
  readonly fetch: (request: Request, server: Bun.Server<Data>) => Promise<Response | undefined>;
  readonly websocket: Bun.WebSocketHandler<Data>;
  /** `undefined`: plain HTTP. */
  readonly files: CertificateFiles | undefined;
  readonly log: Log;
  /** Between looks at the files. @default 1_000 */
  readonly lookEveryMs?: number;
}

/** A port that is open. */
export interface Listener {
  readonly port: number;
  readonly scheme: "http" | "https";
  /** The other end of a request's connection. */
  peerOf(request: Request): string | undefined;
  /** Takes no new connections; resolves when the last one has ended. */
  stop(): Promise<void>;
  /** Ends what is left. */
  cut(): Promise<void>;
}

/** Opens the port. @throws {CertificateError} for a certificate that cannot be served (AppListener.L2). */
export function listen<Data>({ files, log, lookEveryMs, ...options }: ListenOptions<Data>): Listener {
  const certificate = files && readCertificate(files);
  const serve = (port: number, tls: { cert: string; key: string } | undefined): Bun.Server<Data> =>
    Bun.serve<Data>({ ...options, port, development: false, ...(tls && { tls, reusePort: true }) });
  let current = serve(options.port, certificate);
  const port = current.port ?? options.port;
  /** Those whose certificate was replaced, until their last connection ends. */
  const before = new Set<Bun.Server<Data>>();

  const following =
    files &&
    certificate &&
    followCertificate(
      files,
      certificate,
      (next) => {
        const old = current;
        current = serve(port, next); // AppListener.L1
        before.add(old);
        void old.stop().then(() => before.delete(old));
      },
      log,
      lookEveryMs,
    );

  return {
    port,
    scheme: files === undefined ? "http" : "https",
    peerOf: (request) => current.requestIP(request)?.address,
    async stop() {
      following?.stop();
      await Promise.all([...before, current].map((server) => server.stop()));
    },
    async cut() {
      following?.stop();
      await Promise.all([...before, current].map((server) => server.stop(true)));
    },
  };
}
