import { expect, test } from "bun:test";
import { RefusedError } from "#runtime";
import { endpoint } from "./endpoint.ts";
import { Problem } from "./problem.ts";

test("endpoint() answers what its actor refuses by the refusals that its spec lists", async () => {
  const spec = { method: "GET", path: "/seats", summary: "Seats", tag: "Seats", noun: "seat", scope: "open" } as const;
  const answer = { status: 200, description: "A seat" } as const;
  const refusals = { unknown_seat: { status: 404, detail: "There is no such seat" } };
  const refused = async (reason: string): Promise<string> => {
    const { run } = endpoint({ ...spec, refusals, answer }, () => {
      throw new RefusedError(reason);
    });
    const thrown = await run(new Request("http://localhost/seats"), {}).catch((error: unknown) => error);
    if (!(thrown instanceof Problem)) throw thrown;
    return `${thrown.status} ${thrown.code} ${thrown.message}`;
  };
  expect(await refused("unknown_seat")).toBe("404 seat.unknown_seat There is no such seat");
  expect(await refused("taken")).toBe("409 seat.taken Refused: taken");
});
