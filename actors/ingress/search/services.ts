import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import type { ServiceLine } from "#actors/orchestrator/http/seeing.ts";
import { publicView } from "#actors/orchestrator/http/view.ts";
import { Service, viewOf } from "#actors/orchestrator/service/service.ts";
import type { Troupe } from "#runtime";
import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";

type ShownService = NonNullable<ReturnType<typeof publicView>>;

/** Services looked at; there are hardly ever more. */
const SERVICES = 200;
/** Services whose logs are read, and lines of each. */
const LOGS = 20;
const LINES = 1_000;
const LETTERS = 2;
/** Shorter texts are in nearly every line. */
const LOG_LETTERS = 4;
/** What a container is told by, at least. */
const CONTAINER_ID = /^[0-9a-f]{6,64}$/;

/** Finds services by a part of their name, by their image, or by the id of one of their containers. */
export function serviceFinder(troupe: () => Troupe): Finder {
  return {
    kinds: ["service"],
    scope: "services",
    async find({ text, keys }) {
      const wanted = (keys.at(-1) ?? text).toLowerCase();
      if (wanted.length < LETTERS) return [];
      return (await services(troupe())).filter((service) => speaksOf(service, wanted)).map(serviceHit);
    },
  };
}

/** Finds lines that containers wrote, the newest first. Of the engines that the asked process drives. */
export function containerLogFinder(troupe: () => Troupe, containers: () => OwnContainers | undefined): Finder {
  return {
    kinds: ["log"],
    scope: "services",
    async find({ text, orderIds }, signal) {
      const own = containers();
      const wanted = orderIds[0] ?? text;
      if (own === undefined || wanted.length < LOG_LETTERS) return [];
      const read = (await services(troupe())).slice(0, LOGS).map(async ({ name }) => {
        const lines: Hit[] = [];
        for await (const line of own.logs(name, { tail: LINES, follow: false, signal })) {
          if (!line.text.includes(wanted)) continue;
          lines.push(lineHit(name, wanted, line));
          if (lines.length > HITS_OF_A_KIND) lines.shift();
        }
        return lines;
      });
      return (await Promise.all(read)).flat().toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? ""));
    },
  };
}

async function services(troupe: Troupe): Promise<readonly ShownService[]> {
  const rows = await troupe.list(Service, { limit: SERVICES });
  return rows.flatMap(({ key, state }) => publicView(viewOf(key, state)) ?? []);
}

function speaksOf({ name, desired, observed }: ShownService, wanted: string): boolean {
  return (
    name.includes(wanted) ||
    desired.image.includes(wanted) ||
    (CONTAINER_ID.test(wanted) && observed.some(({ containerId }) => containerId.startsWith(wanted)))
  );
}

function serviceHit({ name, status, desired, observed, conditions }: ShownService): Hit {
  const trouble = conditions.find(({ severity }) => severity !== "note");
  return hit({
    ...{ kind: "service", id: name, status, failed: status === "degraded" || trouble !== undefined },
    detail: trouble?.message ?? `${observed.length} of ${desired.replicas} run, ${desired.image}`,
    page: `/console/services/${name}`,
    api: `/services/${name}`,
  });
}

function lineHit(service: string, wanted: string, { at, level, text, replica }: ServiceLine): Hit {
  const query = new URLSearchParams({ grep: wanted }).toString();
  return hit({
    ...{ kind: "log", id: `${service}/${replica}/${at}`, title: `${service}, replica ${replica}`, at, status: level },
    detail: text.slice(0, 500),
    failed: level === "error",
    page: `/console/services/${service}?${query}`,
    api: `/services/${service}/logs?${query}`,
  });
}
