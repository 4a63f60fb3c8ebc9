import { pause } from "#infra/base/pause.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { MayFail } from "./history.ts";
import type { Stage } from "./stage.ts";

/** A fault, and what must hold about it. */
export interface Fault {
  /** One line, for people. */
  readonly about: string;
  /** Whether an update is under way when it comes: always, or by the seed; `itself`: it changes the service. */
  readonly during: "update" | "either" | "itself";
  readonly mayFail: MayFail;
  /** Whether the replicas from before must be the same ones afterwards, untouched. */
  readonly keeps?: true;
  /** Does it. Resolves when nothing more is done; with what is looked at once all is quiet. */
  readonly inflict: (stage: Stage) => Promise<void | (() => Promise<readonly string[]>)>;
}

/** An update may be anywhere when something else comes. */
const WITHIN_UPDATE_MS = [0, 4_000] as const;
const SHOWN_WITHIN_MS = 30_000;

export const SERVICE_FAULTS = {
  "rolling-update": {
    about: "a revision takes the place of another",
    during: "itself",
    mayFail: "nothing",
    inflict: (stage) => stage.deploy({}),
  },
  "bad-image": {
    about: "an update whose image cannot be had",
    during: "itself",
    mayFail: "nothing",
    keeps: true,
    inflict: (stage) => failedUpdate(stage, { flaw: "no-image" }),
  },
  "failing-health": {
    about: "an update whose check fails",
    during: "itself",
    mayFail: "nothing",
    keeps: true,
    inflict: (stage) => failedUpdate(stage, { flaw: "unhealthy" }),
  },
  "dies-late": {
    about: "an update whose containers end after five seconds",
    during: "itself",
    mayFail: "unsafe",
    keeps: true,
    inflict: (stage) => failedUpdate(stage, { flaw: "dies" }),
  },
  "canary-abort": {
    about: "a canary that is aborted by hand",
    during: "itself",
    mayFail: "nothing",
    keeps: true,
    async inflict(stage) {
      await stage.tryOut({ canary: "25%" }, canaries(stage));
      await stage.moment(500, 4_000);
      const status = await stage.verb("abort");
      return takenBack(stage, status < 300 ? [] : [`abort was answered with ${status}`]);
    },
  },
  "canary-errors": {
    about: "a canary that answers with errors, and is taken back for it",
    during: "itself",
    mayFail: "nothing",
    keeps: true,
    inflict: (stage) => failedUpdate(stage, { flaw: "errors", canary: "25%" }, canaries(stage)),
  },
  "docker-kill": {
    about: "docker kill of one replica",
    during: "either",
    mayFail: "unsafe",
    inflict: (stage) => toSomeone(stage, (container) => container.kill()),
  },
  "docker-rm": {
    about: "docker rm -f of one replica",
    during: "either",
    mayFail: "unsafe",
    inflict: (stage) => toSomeone(stage, (container) => container.remove({ force: true })),
  },
  "hand-made": {
    about: "containers made by hand with our labels, one of them a copy of a replica with its signature",
    during: "either",
    mayFail: "nothing",
    inflict: handMade,
  },
  "dockerd-restart": {
    about: "the engine of one host is killed, and comes back",
    during: "either",
    mayFail: "unsafe",
    async inflict(stage) {
      const { dockerd } = stage.host();
      await dockerd.kill();
      await stage.moment(300, 3_000);
      await dockerd.start();
    },
  },
  "app-killed": {
    about: "kill -9 of one of the two app processes in the middle of an update",
    during: "update",
    mayFail: "nothing",
    async inflict(stage) {
      const place = stage.random.whole(0, 1);
      await stage.system.killApp(place);
      await stage.moment(300, 2_000);
      await stage.system.startApp(place);
    },
  },
  "two-apps": {
    about: "both app processes are given other numbers and revisions, again and again, at the same time",
    during: "itself",
    mayFail: "nothing",
    inflict: flips,
  },
  "two-hosts": {
    about: "grown and shrunk over two hosts",
    during: "itself",
    mayFail: "nothing",
    async inflict(stage) {
      const { greeting, replicas } = stage.expected;
      await stage.deploy({ greeting, replicas: replicas + 3 });
      await stage.moment(500, 5_000);
      await stage.deploy({ greeting, replicas });
      return async () => {
        const used = new Set(stage.watch.running.map(({ host }) => host));
        return used.size === stage.system.hosts.length ? [] : [`all run on ${[...used].join()}`];
      };
    },
  },
  "events-cut": {
    about: "the way to one engine is cut, with its events; a replica ends meanwhile",
    during: "either",
    mayFail: "unsafe",
    async inflict(stage) {
      const { name, socket } = stage.host();
      socket.cut();
      await stage.moment(0, 1_000);
      await toSomeone(stage, (container) => container.kill(), name);
      await stage.moment(500, 3_000);
      socket.mend();
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type ServiceFault = keyof typeof SERVICE_FAULTS;
export const SERVICE_FAULT_NAMES = Object.keys(SERVICE_FAULTS) as readonly ServiceFault[];

/** Lets an update begin where the fault wants one; resolves at a moment in the middle of it. */
export async function precede(stage: Stage, { during }: Fault): Promise<boolean> {
  const updating = during === "update" || (during === "either" && stage.random.next() < 0.5);
  if (updating) await stage.deploy({});
  if (during !== "itself") await stage.moment(...WITHIN_UPDATE_MS);
  return updating;
}

/** How many more containers a canary of a quarter brings. */
function canaries({ expected }: Stage): number {
  return Math.ceil(expected.replicas / 4);
}

/** An update that has to be taken back by itself. */
async function failedUpdate(stage: Stage, change: Parameters<Stage["tryOut"]>[0], more = 0) {
  await stage.tryOut(change, more);
  return takenBack(stage, []);
}

function takenBack(stage: Stage, complaints: readonly string[]) {
  return async (): Promise<readonly string[]> => {
    const { conditions } = await stage.view();
    const said = conditions.some(({ type }) => type === "rolled_back");
    return said ? complaints : [...complaints, "nobody said that the update was taken back"];
  };
}

type Victim = ReturnType<ReturnType<Stage["host"]>["docker"]["getContainer"]>;

/** Does something to one of the containers that run, on one host or any. */
async function toSomeone(stage: Stage, what: (victim: Victim) => Promise<unknown>, host?: string): Promise<void> {
  const victim = await eventually("there is somebody to end", SHOWN_WITHIN_MS, async () => {
    const there = stage.watch.running.filter((one) => host === undefined || one.host === host);
    return there.length > 0 && stage.random.pick(there);
  });
  // It may just be going by itself.
  await what(stage.host(victim.host).docker.getContainer(victim.id)).catch(() => undefined);
}

/** Strangers in our clothes: they neither count nor are touched, and go when the episode is over. */
async function handMade(stage: Stage): Promise<() => Promise<readonly string[]>> {
  const model = await eventually("there is one to copy", SHOWN_WITHIN_MS, async () =>
    stage.watch.running.find(({ revision }) => revision !== ""),
  );
  const { docker } = stage.host(model.host);
  const { Config: config } = await docker.getContainer(model.id).inspect();
  const { "troupe.signature": _signature, ...unsigned } = config.Labels;
  const strangers = await Promise.all(
    [{ ...unsigned, "troupe.replica": "7" }, config.Labels].map(async (labels) => {
      const container = await docker.createContainer({ Image: config.Image, Cmd: ["serve"], Labels: labels });
      stage.watch.ignore(container.id);
      await container.start();
      return container;
    }),
  );
  return async () => {
    const states = await Promise.all(strangers.map((one) => one.inspect().catch(() => undefined)));
    await Promise.all(strangers.map((one) => one.remove({ force: true }).catch(() => undefined)));
    return states.flatMap((state, i) =>
      state?.State.Running === true
        ? []
        : [`the container made by hand ${i === 0 ? "without" : "with"} a signature was touched`],
    );
  };
}

const FLIPS = 4;

/** The later revision of the configuration is the one that counts, whoever was given it. */
async function flips(stage: Stage): Promise<void> {
  const { replicas } = stage.expected;
  const posts = [];
  for (let flip = 0; flip < FLIPS; flip++) {
    for (const by of [0, 1]) {
      const wanted = { greeting: stage.fresh(), replicas: replicas + stage.random.whole(-1, 1) };
      stage.most = Math.max(stage.most, replicas + 2);
      posts.push(stage.post(wanted, by).then((revision) => ({ revision, wanted })));
    }
    await pause(stage.random.whole(0, 1_500));
  }
  const all = await Promise.all(posts);
  const last = all.reduce((a, b) => (b.revision > a.revision ? b : a));
  await stage.deploy(last.wanted);
  const { greeting } = stage.expected;
  // Back to the number that the other faults begin with.
  await stage.deploy({ greeting, replicas });
}
