import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { foreignListener } from "./listeners.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("foreignListener() tells a listener of a given process group from anybody else's", async () => {
  const source = `const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() }); console.log(server.port);`;
  const child = spawn(process.execPath, ["-e", source], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(line.toString("utf8"));
    expect(foreignListener([port], [child.pid ?? 0])).toBeUndefined();
    expect(foreignListener([port], [1])).toBe(port);
  } finally {
    child.kill("SIGKILL");
  }
});

test("foreignListener() has nothing against a port that nobody listens on", () => {
  expect(foreignListener([1], [1])).toBeUndefined();
});
