import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

test("a page that uses the client holds no server code, and 8 KB of it at most", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-client-"));
  try {
    const page = join(folder, "page.ts");
    const at = (path: string): string => JSON.stringify(join(import.meta.dir, path));
    writeFileSync(
      page,
      `import type { Counter } from ${at("../door/door-bench.ts")};
import { connect, remote } from ${at("mod.ts")};
const client = connect<{ counter: typeof Counter }>("/rpc");
await client.ref(remote<typeof Counter>("counter"), "a").add({ by: 1 });
for await (const { state } of client.watch("counter", "a")) console.log(state.count);
`,
    );
    const built = await Bun.build({ entrypoints: [page], target: "browser", format: "esm", minify: true });
    const text = (await built.outputs[0]?.text()) ?? "";
    expect(text).toContain("idempotency-key");
    expect(text).not.toMatch(/valibot|safeParse|partition|\bimport\b/u);
    expect(Bun.gzipSync(text).byteLength).toBeLessThan(8_192);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
