/**
 * The rules of who may import whom, as tables. The checker reads nothing else: to change a boundary, change a row here.
 *
 * Paths are patterns: `**` is anything, `*` is a part of one name, `{a,b}` is either, `<word>` is one name that must be the
 * same wherever the row repeats it (`<noun>/<noun>.ts`). Imports of types count like any other, as the question is
 * who knows of whom; rows marked `typeOnly` are the exception.
 */

/** The levels, lowest first. A file may know of its own level and of those below it, never of those above. */
export const LEVELS: readonly (readonly string[])[] = [["runtime"], ["infra"], ["actors", "workflows"], ["scripts"]];

/** Tests and what only tests import. */
export const TESTS: readonly string[] = [
  "**.test.{ts,tsx}",
  "**.fixture.ts",
  "**conformance.ts",
  "**/test-*.ts",
  "**/for-tests.ts",
  "**/testing/**",
];

/** What people copy into projects of their own: the only files that import this package by its name. */
export const EXAMPLES = "{runtime/examples,scripts/create/template}/**";

/** One permission: `from` may import `to`. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Holds for the files of `TESTS` only. */
  readonly testsOnly?: true;
  readonly why: string;
}

/** Every import between files of the project that is allowed. What no row allows is a violation. */
export const ARROWS: readonly Arrow[] = [
  { from: "runtime/**", to: "runtime/**", why: "the runtime is one unit" },
  { from: "infra/**", to: "infra/**", why: "adapters may share connections" },
  { from: "scripts/**", to: "scripts/**", why: "the scripts are one unit" },
  { from: EXAMPLES, to: "infra/*/mod.ts", why: "what people copy imports what they would, by the package's name" },
  { from: "actors/<product>/<own>/**", to: "actors/<product>/<own>/**", why: "an actor's folder is one unit" },
  { from: "actors/<product>/*.ts", to: "actors/<product>/*.ts", why: "so is a product of a single actor" },
  { from: "workflows/<own>/**", to: "workflows/<own>/**", why: "a workflow's folder is one unit" },

  { from: "{infra,actors,workflows,scripts}/**", to: "runtime/mod.ts", why: "#runtime, the public door" },
  { from: "{infra,scripts}/**", to: "runtime/internal.ts", why: "#runtime/internal, the door of adapters" },
  { from: "**", to: "runtime/internal.ts", testsOnly: true, why: "tests may look inside" },
  { from: "scripts/**", to: "runtime/testing/mod.ts", why: "#runtime/testing, for benchmarks and fault runs" },
  { from: "**", to: "runtime/testing/mod.ts", testsOnly: true, why: "#runtime/testing, the suites" },

  { from: "{actors,workflows,scripts}/**", to: "infra/**", why: "adapters are below" },
  { from: "scripts/**", to: "{actors,workflows}/**", why: "the scripts put everything together" },

  { from: "{actors,workflows}/**", to: "{actors,workflows}/**/messages.ts", why: "messages are the contract" },
  { from: "{actors,workflows}/**", to: "{actors,workflows}/**", testsOnly: true, why: "tests build systems" },
  {
    from: "actors/<product>/<own>/<own>.ts",
    to: "actors/<product>/<noun>/<noun>.ts",
    why: "`ref` and `send` take the type of another actor of the same product",
  },
  { from: "actors/<product>/actors.ts", to: "actors/<product>/**", why: "the list of a product's actors" },
  { from: "actors/shop/**", to: "actors/shop/money/*.ts", why: "the whole shop counts money one way" },
  { from: "actors/shop/sandbox-payment/**", to: "actors/shop/payment/*.ts", why: "the sandbox is a payment provider" },
  { from: "actors/shop/customer/**", to: "actors/shop/order/status.ts", why: "a customer's history ends as orders do" },
  { from: "actors/<product>/http/**", to: "actors/<product>/**", why: "the routes of a product call its actors" },
  {
    from: "actors/orchestrator/config/**",
    to: "actors/orchestrator/service/*.ts",
    why: "a configuration is made of services",
  },
  {
    from: "actors/access/guard/**",
    to: "actors/access/keyring/*.ts",
    why: "the guard knows keys by their fingerprints",
  },
  {
    from: "actors/ingress/**",
    to: "actors/**",
    why: "the ingress is where the routes of the products are put together",
  },
  { from: "actors/ingress/**", to: "workflows/{client,run-status}.ts", why: "it starts and finds workflows" },
  { from: "actors/**", to: "workflows/{task-queues,workflow-ids}.ts", why: "names are part of the contract" },

  { from: "workflows/**", to: "workflows/*.ts", why: "names and helpers that every workflow shares" },
  { from: "workflows/*.ts", to: "workflows/**", why: "the worker and the client gather the workflows" },
  { from: "workflows/<own>/*activities.ts", to: "actors/**", why: "activities call actors, and the ports beside them" },
  { from: "workflows/<own>/workflow.ts", to: "actors/*/<noun>/plan.ts", why: "a plan is a pure function" },
  { from: "workflows/*.ts", to: "actors/*/<noun>/<noun>.ts", why: "the worker gives the activities their actors" },
];

/**
 * The rooms of the runtime, from the top down, as a message travels. A file may know of its own room and of those below it.
 * `runtime/testing`, the examples and the doors stand outside.
 */
export const ROOMS: readonly string[] = [
  "node",
  "calls",
  "workers",
  "host",
  "control",
  "activation",
  "commit",
  "watch",
  "turn",
  "memory",
  "relay",
  "subscriptions",
  "timers",
  "dead-letters",
  "projections",
  "indexing",
  "journal",
  "telemetry",
  "ownership",
  "actor",
  "topics",
  "message",
  "ports",
  "base",
];

/** Imports between rooms of the runtime that must never be, whatever the order of the rooms says. Tests are free of them. */
export const NEVER: readonly {
  readonly from: string;
  readonly to: string;
  /** Files of `to` that may be imported all the same. */
  readonly except?: string;
  readonly fix: string;
}[] = [
  {
    from: "runtime/commit/**",
    to: "runtime/{relay,timers,watch}/**",
    fix: "Who wants to know of commits is a CommitListener: pass it in",
  },
  {
    from: "runtime/projections/**",
    to: "runtime/{relay,node}/**",
    fix: "A projection is a sink: take what it needs as a parameter",
  },
  {
    from: "runtime/actor/**",
    to: "runtime/**",
    except: "runtime/{actor,base,ports,message}/**",
    fix: "The definition of an actor says nothing of how it is run: put the type into runtime/actor",
  },
  {
    from: "runtime/turn/**",
    to: "runtime/{activation,commit}/**",
    fix: "A turn is handed on by its activation: name what the turn needs in TurnParts",
  },
  {
    from: "runtime/{relay,timers}/**",
    to: "runtime/{activation,host}/**",
    fix: "Hand messages on as a Delivery of runtime/message",
  },
  { from: "runtime/calls/**", to: "runtime/node/**", fix: "Put what both need into a room below runtime/calls" },
  {
    from: "runtime/journal/**",
    to: "runtime/turn/**",
    fix: "Name what the journal needs of a turn in runtime/journal",
  },
  { from: "runtime/host/**", to: "runtime/calls/**", fix: "Calls come to a host as a Delivery of runtime/message" },
];

/** A kind of file that may import less than its folder. */
export interface Narrow {
  readonly rule: string;
  readonly files: string;
  /** The only files of the project it may import. */
  readonly to: readonly string[];
  /** As `to`, for `import type` alone. */
  readonly typeOnly: readonly string[];
  /** The only packages it may import. */
  readonly packages: readonly string[];
  readonly fix: string;
}

/** Files that must stay smaller than the arrows alone would let them be. */
export const NARROW: readonly Narrow[] = [
  {
    rule: "messages-leaf",
    files: "{actors,workflows}/**/messages.ts",
    to: [
      "**/messages.ts",
      "**/names.ts",
      "runtime/mod.ts",
      "infra/http/access.ts",
      "infra/json/{exact,exact-schema}.ts",
      "infra/time/rfc3339.ts",
      "workflows/{task-queues,workflow-ids}.ts",
    ],
    typeOnly: [],
    packages: ["valibot"],
    fix: "Keep schemas, their types and names here, and move what acts on them to a file of its own",
  },
  {
    rule: "workflow-pure",
    files: "workflows/<own>/workflow.ts",
    to: ["workflows/<own>/*.ts", "workflows/*.ts", "actors/*/*/plan.ts"],
    typeOnly: ["**/messages.ts"],
    packages: ["@temporalio/workflow"],
    fix: "Reach the outside through an activity, and take its type with `import type`",
  },
  {
    rule: "names-leaf",
    files: "workflows/{task-queues,workflow-ids}.ts",
    to: [],
    typeOnly: [],
    packages: [],
    fix: "Names are constants: write the value here",
  },
];

/** Files a workflow takes for their types alone. */
export const TYPE_ONLY_TARGETS: readonly { readonly from: string; readonly to: string }[] = [
  { from: "workflows/*/workflow.ts", to: "workflows/*/activities.ts" },
];

/** The only packages that may end up in a workflow's bundle, through however many files. */
export const WORKFLOW_BUNDLE = {
  entry: "workflows/*/workflow.ts",
  packages: ["@temporalio/workflow", "@temporalio/common", "valibot"],
} as const;

/** Folders that are held to a list of packages. Test files among them may use built-in modules too. */
export const PACKAGES: readonly {
  readonly files: string;
  readonly packages: readonly string[];
  readonly fix: string;
}[] = [
  {
    files: "runtime/testing/**",
    packages: ["valibot", "bun:test"],
    fix: "Test helpers run wherever the runtime does: only a suite may take `bun:test`",
  },
  {
    files: "runtime/**",
    packages: ["valibot", "croner"],
    fix: "The runtime uses web standards only: define a port in runtime/ports and put the adapter in infra/",
  },
];
