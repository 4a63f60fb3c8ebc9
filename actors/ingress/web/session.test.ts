import { expect, test } from "bun:test";
import { openSession } from "./session.ts";

/** A page whose server takes one key. */
function page({ good, entered = [] }: { good: string | null; entered?: string[] }) {
  const kept = new Map<string, string>();
  const sent: { path: string; authorization: string | null }[] = [];
  const asked: boolean[] = [];
  const session = openSession({
    storage: {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    },
    send: async (path, init) => {
      const authorization = new Headers(init.headers).get("authorization");
      sent.push({ path, authorization });
      if (good !== null && authorization !== `Bearer ${good}`) return new Response(null, { status: 401 });
      return Response.json(path === "/tickets" ? { ticket: "tkt_1" } : {});
    },
    askForKey: async (refused) => {
      asked.push(refused);
      return entered.shift() ?? "";
    },
    socketUrl: "ws://here/ws",
  });
  return { session, sent, asked, kept };
}

test("a page asks for no key where none is needed, and opens sockets without one", async () => {
  const { session, asked, sent } = page({ good: null });
  expect((await session.ask("/orders")).status).toBe(200);
  expect([asked, sent, session.signedIn]).toEqual([[], [{ path: "/orders", authorization: null }], false]);
  expect(await session.socketAddress()).toBe("ws://here/ws");
});

test("a page asks for a key once, however many questions wait for it, and again while it is a wrong one", async () => {
  const { session, asked, sent, kept } = page({ good: "right", entered: ["wrong", "right"] });
  let heard = 0;
  session.onSignIn(() => void heard++);
  const answers = await Promise.all([session.ask("/a"), session.ask("/b"), session.ask("/c", { method: "POST" })]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([asked, heard]).toEqual([[false, true], 2]);
  expect([...kept.values()]).toEqual(["right"]);
  expect(sent.every(({ path }) => !path.includes("right"))).toBe(true);
});

test("a page opens each socket with a ticket of its key, and forgets the key when it is told to", async () => {
  const { session, sent, kept } = page({ good: "right", entered: ["right"] });
  await session.ask("/orders");
  expect(await session.socketAddress()).toBe("ws://here/ws?ticket=tkt_1");
  expect(sent.at(-1)).toEqual({ path: "/tickets", authorization: "Bearer right" });
  session.signOut();
  expect([session.signedIn, kept.size]).toEqual([false, 0]);
});
