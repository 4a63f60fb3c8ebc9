import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A certificate and its key: as files, and as PEM texts. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Certificates of a test's own, by `openssl`. The folder is deleted when disposed of. */
export interface Certificates extends AsyncDisposable {
  readonly folder: string;
  /** Signs all but `stranger`. */
  readonly ca: Certificate;
  /** For `localhost` and `127.0.0.1`. */
  readonly good: Certificate;
  /** For another host. */
  readonly elsewhere: Certificate;
  /** For `localhost`, until yesterday. */
  readonly expired: Certificate;
  /** For `localhost`, signed by nobody who is trusted. */
  readonly stranger: Certificate;
  /** A client's. */
  readonly client: Certificate;
}

/** Makes them: about half a second. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-tls-"));
  const [ca, otherCa] = await Promise.all([authority(folder, "ca"), authority(folder, "other-ca")]);
  const here = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const [good, elsewhere, expired, stranger, client] = await Promise.all([
    signed(folder, "good", ca, here),
    signed(folder, "elsewhere", ca, "subjectAltName=DNS:elsewhere.example,IP:10.9.8.7"),
    signed(folder, "expired", ca, here, -1),
    signed(folder, "stranger", otherCa, here),
    signed(folder, "client", ca, "extendedKeyUsage=clientAuth"),
  ]);
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { folder, ca, good, elsewhere, expired, stranger, client, [Symbol.asyncDispose]: dispose };
}

const NEW_KEY = ["-newkey", "rsa:2048", "-nodes"] as const;

async function authority(folder: string, name: string): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  await openssl("req", "-x509", ...NEW_KEY, "-keyout", keyFile, "-out", certFile, "-days", "2", "-subj", `/CN=${name}`);
  return load(certFile, keyFile);
}

async function signed(
  folder: string,
  name: string,
  ca: Certificate,
  extension: string,
  days = 2,
): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  await writeFile(extensions, `${extension}\n`);
  await openssl("req", "-new", ...NEW_KEY, "-keyout", keyFile, "-out", request, "-subj", `/CN=${name}`);
  const serial = ["-set_serial", `0x${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`];
  const by = ["-CA", ca.certFile, "-CAkey", ca.keyFile, ...serial, "-days", String(days), "-extfile", extensions];
  await openssl("x509", "-req", "-in", request, "-out", certFile, ...by);
  return load(certFile, keyFile);
}

async function load(certFile: string, keyFile: string): Promise<Certificate> {
  return { certFile, keyFile, cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
}

async function openssl(...args: readonly string[]): Promise<void> {
  await execute("openssl", [...args]);
}
