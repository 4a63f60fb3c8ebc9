import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { NEW, type TemporaryCheckout, temporaryCheckout } from "./checkout.fixture.ts";
import { namesOf, placeOf } from "./names.ts";

setDefaultTimeout(120_000);

let checkout: TemporaryCheckout;

beforeAll(() => {
  checkout = temporaryCheckout();
});

afterAll(() => checkout[Symbol.dispose]());

function run(...args: readonly string[]): { code: number; out: string; err: string } {
  const child = Bun.spawnSync([process.execPath, NEW, ...args], { cwd: checkout.root, stdin: "ignore" });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

describe("bun run new actor", () => {
  test("makes an actor, says where to register it, and registers it nowhere", async () => {
    const system = await Bun.file(join(checkout.root, "scripts/app/system.ts")).text();
    const { code, out } = run("actor", "gift-card", "--dir", checkout.root);
    expect(code).toBe(0);
    for (const file of ["messages", "gift-card", "gift-card.test"]) {
      expect(existsSync(join(checkout.root, `actors/gift-card/${file}.ts`))).toBe(true);
    }
    expect(out).toContain(`import { GiftCard } from "#actors/gift-card/gift-card.ts";`);
    expect(await Bun.file(join(checkout.root, "scripts/app/system.ts")).text()).toBe(system);
  });

  test("puts an actor into a product, and says where it stands", () => {
    const { code, out } = run("actor", "shop/voucher", "--dir", checkout.root);
    expect(code).toBe(0);
    expect(existsSync(join(checkout.root, "actors/shop/voucher/voucher.ts"))).toBe(true);
    expect(out).toContain("bun test actors/shop/voucher");
    expect(out).toContain(`import { Voucher } from "#actors/shop/voucher/voucher.ts";`);
  });

  test("refuses a name that is taken, and leaves what is there alone", async () => {
    const before = await Bun.file(join(checkout.root, "actors/shop/stock/stock.ts")).text();
    expect(run("actor", "stock", "--dir", checkout.root)).toEqual({
      code: 1,
      out: "",
      err: "Cannot make actors/stock as actors/shop/stock is there already: choose another name, or remove it first\n",
    });
    expect(await Bun.file(join(checkout.root, "actors/shop/stock/stock.ts")).text()).toBe(before);
  });

  test("refuses a name that is no actor type, and says what one looks like", () => {
    const { code, err } = run("actor", "Gift_Card", "--dir", checkout.root);
    expect(code).toBe(1);
    expect(err).toStartWith(`Cannot name an actor "Gift_Card": expected a noun of lower-case letters`);
    expect(existsSync(join(checkout.root, "actors/Gift_Card"))).toBe(false);
  });

  test("explains itself with --help, and when it does not understand", () => {
    expect(run("--help")).toMatchObject({ code: 0, err: "" });
    expect(run("--help").out).toStartWith("bun run new actor [PRODUCT/]NAME");
    for (const args of [[], ["actor"], ["workflow", "x"], ["actor", "a", "b"], ["actor", "a", "--what"]]) {
      const { code, err } = run(...args);
      expect(code).toBe(2);
      expect(err).toContain("bun run new actor [PRODUCT/]NAME");
    }
  });

  test("refuses a folder that is no checkout", () => {
    const { code, err } = run("actor", "parcel", "--dir", join(checkout.root, "runtime"));
    expect(code).toBe(1);
    expect(err).toContain(`as there is no folder "actors"`);
  });
});

describe("placeOf()", () => {
  test("takes a name, or a product and a name", () => {
    expect(placeOf("parcel")).toEqual({ product: undefined, names: namesOf("parcel") });
    expect(placeOf("shop/parcel")).toEqual({ product: "shop", names: namesOf("parcel") });
  });

  test.each(["a/b/c", "/parcel", "shop/", "../parcel", "Shop/parcel"])("refuses %p", (given) => {
    expect(() => placeOf(given)).toThrow(RangeError);
  });
});

describe("namesOf()", () => {
  test("gives the constants their case", () => {
    expect(namesOf("gift-card")).toEqual({
      actor: "gift-card",
      type: "GiftCard",
      variable: "giftCard",
      words: "gift card",
    });
  });

  test.each(["", "-a", "a-", "a--b", "1a", "a.b", "a/b", "../a", "a".repeat(64)])("refuses %p", (name) => {
    expect(() => namesOf(name)).toThrow(RangeError);
  });

  test("refuses a name whose constant would hide a global", () => {
    expect(() => namesOf("map")).toThrow("as Map would hide the global of that name");
  });
});
