import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { withConnection } from "../stack/postgres.ts";
import { type Certificate, makeCertificates } from "../testing/certificates.ts";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { tlsSuite } from "../testing/tls-suite.ts";
import { migrate } from "./migrate.ts";
import { Pool } from "./pool.ts";
import { readSsl } from "./ssl.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("postgres");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

/** Gives the running server another certificate. It writes the files itself, as only its own user's are taken. */
async function present({ cert, key }: Certificate): Promise<void> {
  await withConnection(broker.address, async (sql) => {
    const [row] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`;
    for (const [name, text] of Object.entries({ "server.crt": cert, "server.key": key })) {
      const encoded = Buffer.from(text).toString("base64");
      await sql.unsafe(`copy (select '${encoded}') to program 'umask 077; base64 -d > ${row?.folder}/${name}'`);
    }
    await sql.unsafe("alter system set ssl = on");
    await sql.unsafe("select pg_reload_conf()");
  });
  const encrypted = broker.address + "?sslmode=require";
  await eventually("the server encrypts", 10_000, () =>
    withConnection(encrypted, async (sql) => {
      const [row] = await sql<{ ssl: boolean }[]>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
      return row?.ssl === true;
    }).catch(() => false),
  );
}

async function selectOne(address: string): Promise<void> {
  const pool = new Pool(address, { deadlineMs: 3_000 });
  try {
    await pool.run((sql) => sql`select 1`);
  } finally {
    await pool.close();
  }
}

tlsSuite("PostgreSQL", {
  asks: false,
  async serve(certificate) {
    await present(certificate);
    const { port } = new URL(broker.address);
    return {
      address: (host) => {
        const url = new URL(broker.address);
        url.hostname = host;
        url.port = port;
        url.pathname = "/tls";
        return url.href;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
  async speak(address, { ca }) {
    const file = `${await certificateFolder()}/given.pem`;
    if (ca !== undefined) await Bun.write(file, ca);
    const url = `${address}?sslmode=verify-full${ca === undefined ? "" : `&sslrootcert=${file}`}`;
    await migrate(url);
    await selectOne(url);
  },
});

let folder: Awaited<ReturnType<typeof makeCertificates>> | undefined;
async function certificateFolder(): Promise<string> {
  folder ??= await makeCertificates();
  return folder.folder;
}
afterAll(() => folder?.[Symbol.asyncDispose]());

test("verify-ca checks who signed, and not for which host; require checks nothing", async () => {
  await using certificates = await makeCertificates();
  await present(certificates.elsewhere);
  const address = broker.address.replace("127.0.0.1", "localhost");
  const root = `&sslrootcert=${certificates.ca.certFile}`;
  await selectOne(`${address}?sslmode=verify-ca${root}`);
  await expect(selectOne(`${address}?sslmode=verify-full${root}`)).rejects.toThrow();
  await expect(selectOne(`${address}?sslmode=verify-ca`)).rejects.toThrow();
  await selectOne(`${address}?sslmode=require`);
});

test("readSsl() leaves the server's own settings, and refuses a mode that is none", () => {
  const { url, ssl } = readSsl("postgres://h/d?sslmode=verify-full&application_name=x");
  expect(url).toBe("postgres://h/d?application_name=x");
  expect(ssl).toEqual({ rejectUnauthorized: true });
  expect(readSsl("postgres://h/d").ssl).toBe(false);
  expect(() => readSsl("postgres://h/d?sslmode=verify")).toThrow("expected disable, allow, prefer");
  expect(() => readSsl("postgres://h/d?sslmode=verify-full&sslcert=/x.pem")).toThrow("without its key");
});
