import { expect, test } from "bun:test";
import {
  MAX_BROADCAST_LENGTH,
  MAX_EFFECTS,
  MAX_EVENT_LENGTH,
  MAX_ID_LENGTH,
  MAX_KEY_LENGTH,
  MAX_STATE_LENGTH,
} from "./base/limits.ts";
import { TROUPE_ERROR_CODES, TroupeError } from "./message/errors.ts";

const readme = await Bun.file(`${import.meta.dir}/README.md`).text();

test("runtime/README.md lists every error code, with whether a retry may help", () => {
  const listed = [...readme.matchAll(/^\| `([a-z_]+)` \| (yes|no) \|/gmu)].map(([, code, retry]) => `${code} ${retry}`);
  const known = TROUPE_ERROR_CODES.map((code) => `${code} ${new TroupeError(code, "").retryable ? "yes" : "no"}`);
  expect(listed).toEqual(known);
});

test("runtime/README.md states the limits that hold", () => {
  for (const limit of [
    MAX_STATE_LENGTH,
    MAX_EVENT_LENGTH,
    MAX_BROADCAST_LENGTH,
    MAX_EFFECTS,
    MAX_KEY_LENGTH,
    MAX_ID_LENGTH,
  ]) {
    expect(readme).toContain(limit.toLocaleString("en"));
  }
});
