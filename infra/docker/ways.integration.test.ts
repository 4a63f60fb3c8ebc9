import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { Server as SshServer, utils } from "ssh2";
import { which } from "../stack/command.ts";
import { testServer } from "../stack/for-tests.ts";
import { type Certificates, makeCertificates } from "../testing/certificates.ts";
import { connectEngine } from "./engine.ts";
import { sshSocket } from "./ssh-socket.ts";

setDefaultTimeout(60_000);

let socket = "";
let certificates: Certificates;
beforeAll(async () => {
  socket = (await testServer("docker")).slice("unix://".length);
  certificates = await makeCertificates();
}, 240_000);
afterAll(() => certificates[Symbol.asyncDispose]());

test("an engine behind TLS is reached with a certificate that it asks for, and not without", async () => {
  const { ca, good, client, stranger } = certificates;
  const options = { cert: good.cert, key: good.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (from) => {
    const to = connect(socket);
    from.pipe(to);
    to.pipe(from);
    for (const one of [from, to]) one.on("error", () => (from.destroy(), to.destroy()));
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    const host = `https://127.0.0.1:${port}`;
    const engine = connectEngine({ host, tls: { ca: ca.cert, cert: client.cert, key: client.key } });
    expect((await engine.ping()).version).not.toBe("");
    for (const tls of [{ ca: ca.cert }, { ca: stranger.cert, cert: client.cert, key: client.key }])
      await expect(connectEngine({ host, tls }).ping()).rejects.toThrow();
  } finally {
    server.close();
  }
});

test.skipIf(which("ssh") === undefined)(
  "an engine of another machine is reached over ssh, as this user's ssh is set up",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-ssh-"));
    const key = (): { private: string; public: string } => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const text = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
      const parsed = utils.parseKey(text);
      if (parsed instanceof Error) throw parsed;
      return { private: text, public: `ssh-rsa ${parsed.getPublicSSH().toString("base64")}` };
    };
    const [host, user] = [key(), key()];
    const commands: string[] = [];
    const server = new SshServer({ hostKeys: [host.private] }, (client) => {
      client.on("error", () => undefined);
      client.on("authentication", (context) => {
        if (context.method === "publickey" && `ssh-rsa ${context.key.data.toString("base64")}` === user.public)
          context.accept();
        else context.reject(["publickey"]);
      });
      client.on("session", (accept) => {
        accept().on("exec", (acceptExec, _reject, { command }) => {
          commands.push(command);
          const stream = acceptExec();
          const engine = connect(socket);
          stream.pipe(engine).pipe(stream);
          for (const one of [stream, engine]) one.on("error", () => (stream.destroy(), engine.destroy()));
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as { port: number };
    try {
      await writeFile(join(folder, "key"), user.private);
      await chmod(join(folder, "key"), 0o600);
      await writeFile(join(folder, "known"), `[127.0.0.1]:${port} ${host.public}\n`);
      const own = ["-F", "none", "-o", "ControlMaster=no", "-o", "ControlPath=none", "-i", join(folder, "key")];
      const known = (file: string): string[] => [...own, "-o", `UserKnownHostsFile=${join(folder, file)}`];
      const at = `ssh://somebody@127.0.0.1:${port}`;
      const engine = connectEngine({ host: `unix://${sshSocket(at, known("known"))}` });
      expect((await engine.ping()).version).not.toBe("");
      expect(commands[0]).toBe("docker system dial-stdio");
      expect(await engine.list()).toEqual([]);
      // A machine that this user does not know is not spoken to.
      const before = commands.length;
      await expect(connectEngine({ host: `unix://${sshSocket(at, known("nobody"))}` }).ping()).rejects.toThrow();
      expect(commands).toHaveLength(before);
    } finally {
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
