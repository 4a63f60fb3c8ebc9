import { expect, test } from "bun:test";
import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";
import { SetApart } from "./set-apart.ts";

test("what an actor has finished since its partition came back stays when its turns from before are dropped", () => {
  const apart = new SetApart(
    () => undefined,
    () => undefined,
  );
  const owner = () => ({ address: "alarm/c" }) as TurnOwner;
  const [before, since] = [owner(), owner()];
  const turn = (activation: TurnOwner) => ({ activation }) as FinishedTurn;
  const [old, fresh] = [turn(before), turn(since)];
  apart.add("alarm/c");
  expect([apart.takes(old), apart.takes(fresh)]).toEqual([true, true]);
  expect(apart.drop(new Set([before]))).toEqual([old]);
  expect(apart.take()).toEqual([fresh]);
});
