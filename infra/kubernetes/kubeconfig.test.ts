import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAccess } from "./kubeconfig.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-kubeconfig-"));
  await writeFile(join(folder, "ca.pem"), "CA");
  await writeFile(join(folder, "token"), "from-file\n");
  await writeFile(join(folder, "config"), CONFIG);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const CONFIG = `
apiVersion: v1
kind: Config
current-context: first
clusters:
  - { name: here, cluster: { server: "https://here:6443/", certificate-authority: ca.pem } }
  - { name: open, cluster: { server: "https://open", insecure-skip-tls-verify: true } }
users:
  - { name: plain, user: { token: abc } }
  - { name: file, user: { tokenFile: token } }
  - { name: command, user: { exec: { command: sh, args: ["-c", 'printf "{\\"status\\":{\\"token\\":\\"%s\\"}}" "$WHO"'], env: [{ name: WHO, value: made }] } } }
  - { name: certificate, user: { client-certificate-data: ${btoa("CERT")}, client-key-data: ${btoa("KEY")} } }
contexts:
  - { name: first, context: { cluster: here, user: plain, namespace: shop } }
  - { name: second, context: { cluster: open, user: file } }
  - { name: third, context: { cluster: here, user: command } }
  - { name: fourth, context: { cluster: here, user: certificate } }
`;

const read = (context?: string, namespace?: string) =>
  readAccess({ kubeconfig: join(folder, "config"), context, namespace });

test("readAccess() reads the current context: server, authority beside the file, namespace and token", async () => {
  const access = await read();
  expect(access).toMatchObject({ server: "https://here:6443", name: "first", namespace: "shop", tls: { ca: "CA" } });
  expect(await access.authorization()).toBe("Bearer abc");
  expect((await read(undefined, "other")).namespace).toBe("other");
});

test("readAccess() takes tokens from files and commands, and certificates from the file itself", async () => {
  const second = await read("second");
  expect(second.tls).toEqual({ rejectUnauthorized: false });
  expect(second.namespace).toBe("default");
  expect(await second.authorization()).toBe("Bearer from-file");
  expect(await (await read("third")).authorization()).toBe("Bearer made");
  const fourth = await read("fourth");
  expect(fourth.tls).toEqual({ ca: "CA", cert: "CERT", key: "KEY" });
  expect(await fourth.authorization()).toBeUndefined();
});

test("readAccess() says which file or context is not there", async () => {
  await expect(read("nowhere")).rejects.toMatchObject({ code: "unavailable" });
  await expect(readAccess({ kubeconfig: join(folder, "absent") })).rejects.toThrow("cannot be read");
});
