import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsBelow, removeFolder } from "./remove-folder.ts";

test("removeFolder() removes what is there, and takes a folder that is gone for removed", async () => {
  const dir = mkdtempSync(join(tmpdir(), "troupe-remove-"));
  mkdirSync(join(dir, "a", "b"), { recursive: true });
  writeFileSync(join(dir, "a", "b", "c"), "");
  expect(await removeFolder(dir)).toBe(true);
  expect(existsSync(dir)).toBe(false);
  expect(await removeFolder(dir)).toBe(true);
});

test("mountsBelow() finds the mounts of a folder and of no other, the innermost first", () => {
  const list = [
    "overlay / overlay rw 0 0",
    "nsfs /tmp/run-1/docker/exec/netns/default nsfs rw 0 0",
    "tmpfs /tmp/run-1/docker/exec/netns/default/x\\040y tmpfs rw 0 0",
    "nsfs /tmp/run-10/docker/exec/netns/default nsfs rw 0 0",
    "",
  ].join("\n");
  expect(mountsBelow("/tmp/run-1", list)).toEqual([
    "/tmp/run-1/docker/exec/netns/default/x y",
    "/tmp/run-1/docker/exec/netns/default",
  ]);
});
