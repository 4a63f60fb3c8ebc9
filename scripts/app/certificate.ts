import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Log } from "#runtime";

/** A certificate that cannot be served: the message names the file, and shows nothing of it. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/** Where a certificate and its key are: PEM files, the certificate with its chain. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that can be served, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** When it ends, in milliseconds since 1970. */
  readonly until: number;
}

const LOOK_EVERY_MS = 1_000;
const SOON_MS = 14 * 24 * 3_600_000;

/**
 * Reads a certificate and its key.
 * @throws {CertificateError} naming the file: it cannot be read, is none, has ended or not begun, or the two do not belong together.
 * What is in the files is never shown.
 */
export function readCertificate({ cert, key }: CertificateFiles, now = Date.now()): Certificate {
  const certificate = of(cert, (pem) => new X509Certificate(pem), "a certificate in PEM");
  const secret = of(key, (pem) => createPrivateKey(pem), "a private key in PEM without a passphrase");
  const [from, until] = [Date.parse(certificate.value.validFrom), Date.parse(certificate.value.validTo)];
  if (until <= now)
    throw new CertificateError(`Cannot serve ${cert}: the certificate ended at ${new Date(until).toISOString()}`);
  if (from > now)
    throw new CertificateError(`Cannot serve ${cert}: the certificate begins at ${new Date(from).toISOString()}`);
  if (!certificate.value.checkPrivateKey(secret.value))
    throw new CertificateError(`Cannot serve ${cert}: the key in ${key} belongs to another certificate`);
  return { cert: certificate.pem, key: secret.pem, until };
}

function of<T>(path: string, parse: (pem: string) => T, what: string): { readonly pem: string; readonly value: T } {
  let pem: string;
  try {
    pem = readFileSync(path, "utf8");
  } catch {
    throw new CertificateError(`Cannot serve TLS: ${path} cannot be read`);
  }
  try {
    return { pem, value: parse(pem) };
  } catch {
    throw new CertificateError(`Cannot serve TLS: ${path} is not ${what}`);
  }
}

/** A certificate that follows its files. */
export interface FollowedCertificate {
  stop(): void;
}

/**
 * Looks at the files every second, and gives a changed certificate to `renew`. One that cannot be served changes nothing: the log
 * says why, once, and the one before stays. Warns two weeks before the end of the one in force.
 */
export function followCertificate(
  files: CertificateFiles,
  first: Certificate,
  renew: (next: Certificate) => void,
  log: Log,
  everyMs = LOOK_EVERY_MS,
): FollowedCertificate {
  let inForce = first;
  let said: string | undefined;
  let warned = false;

  function say(event: string, reason: string): void {
    if (said === reason) return;
    said = reason;
    log("error", event, { reason });
  }

  function look(): void {
    if (!warned && inForce.until - Date.now() < SOON_MS) {
      warned = true;
      log("warn", "tls:ends-soon", { cert: files.cert, until: new Date(inForce.until).toISOString() });
    }
    try {
      const next = readCertificate(files);
      said = undefined;
      if (next.cert === inForce.cert && next.key === inForce.key) return;
      renew(next);
      inForce = next;
      warned = false;
      log("info", "tls:renewed", { cert: files.cert, until: new Date(next.until).toISOString() });
    } catch (error) {
      say("tls:refused", error instanceof Error ? error.message : String(error));
    }
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
