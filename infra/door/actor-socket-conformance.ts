/** Sockets that belong to an actor. */
import { CallError, connect, RefusedCall, type RemoteSocket } from "../client/mod.ts";
import { equal, failure, until } from "../testing/checks.ts";
import { type Bench, Room, ROOM_SLEEPS, type WithDoor } from "./door-bench.ts";
import { WINDOW } from "./frames.ts";
import { expose } from "./mod.ts";
import { RawSocket } from "./raw-socket.ts";

type RoomSocket = RemoteSocket<typeof Room>;

export function actorSocketChecks(withDoor: WithDoor): Readonly<Record<string, () => Promise<void>>> {
  const clientOf = (bench: Bench) =>
    connect<{ room: typeof Room }>(bench.url, { webSocket: bench.webSocket, transport: "websocket" });
  const enter = (bench: Bench, name: string, key = "lobby") => clientOf(bench).socket("room", key, { data: { name } });
  /** What a socket is sent next. */
  const texts = async (socket: RoomSocket, count: number): Promise<string[]> => {
    const heard: string[] = [];
    const messages = socket[Symbol.asyncIterator]();
    while (heard.length < count) {
      const { value, done } = await messages.next();
      if (done === true) break;
      heard.push(`${value.by}: ${value.text}${value.nth === undefined ? "" : ` ${value.nth}`}`);
    }
    return heard;
  };
  const present = (bench: Bench) => bench.troupe.ref(Room, "lobby").present();

  return {
    "what is said over a socket is a turn, and all sockets of the actor hear of it, and no others": () =>
      withDoor(async (bench) => {
        const anna = await enter(bench, "anna");
        const other = await enter(bench, "olga", "elsewhere");
        const bert = await enter(bench, "bert");
        equal(await present(bench), ["anna", "bert"]);
        for (const say of ["one", "two"]) await anna.send({ say });
        await bert.send({ say: "three" });
        await bench.troupe.ref(Room, "elsewhere").shout("end");
        equal(await bench.troupe.ref(Room, "lobby").said(), ["one", "two", "three"]);
        const all = ["anna: one 1", "anna: two 2", "bert: three 1"];
        equal(await texts(anna, 4), ["bert: joined", ...all]);
        equal(await texts(bert, 3), all);
        equal(await texts(other, 1), ["room: end"]);
      }),

    "messages of a socket that were sent at once have their turns in order": () =>
      withDoor(async (bench) => {
        const anna = await enter(bench, "anna");
        const says = Array.from({ length: 20 }, (_, i) => String(i));
        await Promise.all(says.map((say) => anna.send({ say })));
        equal(await bench.troupe.ref(Room, "lobby").said(), says);
        equal(
          await texts(anna, 20),
          says.map((say, i) => `anna: ${say} ${i + 1}`),
        );
      }),

    "a refusal leaves no trace, and says why": () =>
      withDoor(async (bench) => {
        const banned = await failure(enter(bench, "banned"));
        equal(banned instanceof RefusedCall && banned.reason, "banned");
        const nobody = await failure(clientOf(bench).socket("room", "lobby", { data: {} as never }));
        equal(nobody instanceof CallError && [nobody.code, nobody.issues[0]?.path], ["invalid_input", "/data/name"]);
        equal(await present(bench), []);
        const anna = await enter(bench, "anna");
        const empty = await failure(anna.send({ say: "" }));
        equal(empty instanceof RefusedCall && empty.reason, "empty");
        const misfit = await failure(anna.send({ say: 1 as never }));
        equal(misfit instanceof CallError && [misfit.code, misfit.issues[0]?.path], ["invalid_input", "/data/say"]);
        await anna.send({ say: "first" });
        equal(await texts(anna, 1), ["anna: first 1"]);
      }),

    "whoever closes a socket, its actor hears of it once": () =>
      withDoor(async (bench) => {
        const watcher = await enter(bench, "watcher");
        const gone = async (name: string) => until(async () => !(await present(bench)).includes(name));
        const byActor = await enter(bench, "byActor");
        await byActor.send({ say: "to myself: bye" });
        const last: string[] = [];
        for await (const { text } of byActor) last.push(text);
        equal(last, ["to myself: bye"]);
        await gone("byActor");
        const late = await failure(byActor.send({ say: "late" }));
        equal(late instanceof CallError && late.code, "cancelled");
        (await enter(bench, "byClient")).close();
        await gone("byClient");
        const client = clientOf(bench);
        await client.socket("room", "lobby", { data: { name: "byLine" } });
        client.close();
        await gone("byLine");
        equal(await texts(watcher, 6), [
          "byActor: joined",
          "byActor: left after 1",
          "byClient: joined",
          "byClient: left after 0",
          "byLine: joined",
          "byLine: left after 0",
        ]);
      }),

    "a socket ends when its caller may no longer connect, and goes on as long as he may": async () => {
      let asked = 0;
      let allowed = true;
      await withDoor(
        async (bench) => {
          const anna = await enter(bench, "anna");
          await until(() => Promise.resolve(asked > 3));
          await anna.send({ say: "still here" });
          allowed = false;
          const [said, error] = [await texts(anna, 1), await failure(texts(anna, 1))];
          equal([said, error instanceof CallError && error.code], [["anna: still here 1"], "forbidden"]);
          await until(async () => (await present(bench)).length === 0);
        },
        { streamFor: "20ms", authorize: () => (asked++, allowed) },
      );
    },

    "an actor that leaves memory keeps its sockets, and their states": () =>
      withDoor(async (bench) => {
        const anna = await enter(bench, "anna");
        await anna.send({ say: "one" });
        const before = ROOM_SLEEPS.count;
        await until(() => Promise.resolve(ROOM_SLEEPS.count > before));
        await anna.send({ say: "two" });
        equal(await texts(anna, 2), ["anna: one 1", "anna: two 2"]);
      }),

    "any turn of the actor reaches its sockets, all or one": () =>
      withDoor(async (bench) => {
        const raw = await new RawSocket(bench).opened();
        for (const [id, name] of ["anna", "bert"].entries()) {
          raw.send({ id, connect: ["room", "lobby"], data: { name } });
          await until(() =>
            Promise.resolve(raw.came.some((frame) => frame["id"] === id && frame["connected"] === true)),
          );
        }
        const room = bench.troupe.ref(Room, "lobby");
        await room.whisper({ to: "nobody", text: "lost" });
        await room.shout("hello");
        const heard = (id: number) =>
          raw.came.flatMap((frame) =>
            frame["id"] === id && frame["event"] ? [(frame["data"] as { text: string }).text] : [],
          );
        await until(() => Promise.resolve([0, 1].every((id) => heard(id).includes("hello"))));
        equal([heard(0), heard(1)], [["joined", "hello"], ["hello"]]);
        raw.socket.close();
      }),

    "a client that does not read holds up its own turns, and no others": () =>
      withDoor(async (bench) => {
        const raw = await new RawSocket(bench).opened();
        raw.send({ id: 1, connect: ["room", "lobby"], data: { name: "slow" } });
        equal((await raw.answer(1))["connected"], true);
        for (let n = 1; n <= 40; n++) raw.send({ id: 1, n, say: { say: `to myself ${n}` } });
        const events = () => raw.came.filter(({ id, event }) => id === 1 && event !== undefined).length;
        await until(() => Promise.resolve(events() === WINDOW));
        const quick = await enter(bench, "quick");
        await quick.send({ say: "over" });
        const said = await bench.troupe.ref(Room, "lobby").said();
        equal([said.at(-1), said.length <= WINDOW + 3], ["over", true]);
        for (let taken = WINDOW; taken < 41; taken = events()) {
          raw.send({ id: 1, take: WINDOW });
          await until(() => Promise.resolve(events() > taken));
          if (events() >= 41) break;
        }
        raw.socket.close();
      }),

    "an actor's sockets are there only where they are listed, and for whom may": async () => {
      const refusals: unknown[] = [];
      for (const options of [
        { actors: [expose(Room, { sockets: false })] },
        { authorize: () => false },
        { sockets: { maxStreams: 0 } },
      ]) {
        await withDoor(async (bench) => {
          const raw = await new RawSocket(bench).opened();
          raw.send({ id: 1, connect: ["room", "lobby"], data: { name: "anna" } });
          const { status, problem } = await raw.answer(1);
          refusals.push([status, (problem as { code: string }).code]);
          raw.send({ id: 1, n: 1, say: { say: "x" } });
          await until(() => Promise.resolve(raw.came.some(({ n }) => n === 1)));
          raw.socket.close();
          equal(await present(bench), []);
        }, options);
      }
      equal(refusals, [
        [404, "message.not_found"],
        [403, "forbidden"],
        [503, "streams.full"],
      ]);
    },
  };
}
