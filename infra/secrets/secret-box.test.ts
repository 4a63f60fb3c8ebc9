import { expect, test } from "bun:test";
import { isSealed, openWhatOpens, parseSecretKeys, plainBox, secretBox } from "./secret-box.ts";

const key = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(32));
const PLACE = "source/github";

test("a sealed text opens at its place, shows nothing, and is another one each time", async () => {
  const box = secretBox([key()]);
  for (const text of ["", "whsec_abc", "größer ✓", "x".repeat(2_000)]) {
    const [one, two] = [await box.seal(text, PLACE), await box.seal(text, PLACE)];
    expect([isSealed(one), one === two]).toEqual([true, false]);
    if (text !== "")
      expect(one + Buffer.from(one.split(":")[2] ?? "", "base64url").toString("latin1")).not.toContain(text);
    expect(await box.open(one, PLACE)).toBe(text);
  }
});

test("it does not open at another place, by another key, or with one character changed", async () => {
  const box = secretBox([key()]);
  const sealed = await box.seal("whsec_abc", PLACE);
  expect(box.open(sealed, "source/gitlab")).rejects.toMatchObject({ code: "secret_unreadable" });
  expect(secretBox([key()]).open(sealed, PLACE)).rejects.toMatchObject({ code: "secret_unreadable" });
  expect(plainBox.open(sealed, PLACE)).rejects.toThrow("there is no TROUPE_SECRET_KEY");
  for (let i = sealed.lastIndexOf(":") + 1; i < sealed.length; i++) {
    const other = sealed[i] === "A" ? "Q" : "A";
    const changed = sealed.slice(0, i) + other + sealed.slice(i + 1);
    const opened = await box.open(changed, PLACE).catch((error: Error) => error);
    // The last character of base64 may hold bits that mean nothing.
    if (i < sealed.length - 1) expect(opened).toBeInstanceOf(Error);
  }
});

test("the first key seals, each opens, and what was stored before there was any opens as it is (S1, S2)", async () => {
  const [old, fresh] = [key(), key()];
  const before = await secretBox([old]).seal("whsec_abc", PLACE);
  const both = secretBox([fresh, old]);
  expect(await both.open(before, PLACE)).toBe("whsec_abc");
  const after = await both.seal("whsec_abc", PLACE);
  expect(await secretBox([fresh]).open(after, PLACE)).toBe("whsec_abc");
  expect(await both.open("whsec_plain", PLACE)).toBe("whsec_plain");
  expect(await plainBox.open(await plainBox.seal("whsec_plain", PLACE), PLACE)).toBe("whsec_plain");
});

test("openWhatOpens() leaves out what is lost, and fails where everything is", async () => {
  const [lost, mine] = [secretBox([key()]), secretBox([key()])];
  const texts = [await mine.seal("new", PLACE), await lost.seal("old", PLACE), "plain"];
  expect(await openWhatOpens(mine, texts, PLACE)).toEqual(["new", "plain"]);
  expect(openWhatOpens(mine, texts.slice(1, 2), PLACE)).rejects.toMatchObject({ code: "secret_unreadable" });
  expect(await openWhatOpens(mine, [], PLACE)).toEqual([]);
});

test("parseSecretKeys() takes 32 bytes in base64 each, and shows none of what it refuses", () => {
  const written = (bytes: number): string => Buffer.alloc(bytes, 7).toString("base64");
  expect(parseSecretKeys(`${written(32)}, ${written(32)}`).map(({ length }) => length)).toEqual([32, 32]);
  for (const text of ["", "x", written(31), written(33), `${written(32)},`, "canary".repeat(9)])
    expect(() => parseSecretKeys(text)).toThrow(/^Cannot take key [12]: expected 32 bytes in base64$/);
});
