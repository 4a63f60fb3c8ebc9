import { act, type Hands } from "#actors/orchestrator/scaler/act.ts";
import type { Acted, Action } from "#actors/orchestrator/scaler/messages.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import type { ServiceSpec } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { asFailure } from "../as-failure.ts";
import type { OwnHost } from "../own-host.ts";
import { messageId } from "./message-id.ts";
import { type ActOrder, labelOf } from "./messages.ts";
import type { ReconcileDeps } from "./needs-of-activities.ts";

/** The activity of a round that acts. */
export function createActingActivities(deps: ReconcileDeps) {
  const { troupe, own } = deps;
  const service = (name: string) => troupe.ref(Service, name);
  const scaler = (name: string) => troupe.ref(Scaler, name);

  return {
    /** Carries out actions on the host of this process. A later look stops it. */
    async actOnHost(name: string, order: ActOrder): Promise<Acted> {
      const mine = own();
      if (mine?.host !== order.host)
        return { failed: [], kept: [], unavailable: "this is another host", fenced: false };
      const out = order.actions.flatMap((action) => (action.kind === "drain" ? [action.containerId] : []));
      const back = order.actions.flatMap((action) => (action.kind === "undrain" ? [action.containerId] : []));
      if (out.length + back.length > 0) await asFailure(service(name).rotate({ out, back }));
      const expected = Object.fromEntries(order.actions.flatMap(endOf));
      if (Object.keys(expected).length > 0) {
        const begun = await scaler(name)
          .begin({ fence: order.fence, expected })
          .then(
            () => true,
            () => false,
          );
        if (!begun) return { failed: [], kept: [], unavailable: null, fenced: true };
      }
      const acted = await act(handsFor(name, mine, order), name, order.actions);
      if (acted.failed.length + acted.kept.length > 0) {
        const kept = acted.kept.map(({ containerId }) => containerId);
        const { fence, host } = order;
        await asFailure(
          scaler(name).settle({ fence, failed: [...acted.failed], kept }, { id: messageId(host, acted) }),
        );
      }
      return { ...acted, asked: order.actions.map((action) => labelOf(name, action)) };
    },
  };

  function handsFor(name: string, { host, engine, images, room }: OwnHost, { fence, graceMs }: ActOrder): Hands {
    return {
      host,
      engine,
      images,
      room,
      fence,
      graceMs,
      secret: deps.secret,
      bindObjection: deps.bindObjection,
      async revision(revision) {
        const made = await service(name).revision(revision);
        return made && { spec: made.spec as ServiceSpec, imageId: made.images[host] ?? null };
      },
      fixImage: (revision, imageId) => service(name).fixImage({ revision, host, imageId }),
      holds: async () => (await scaler(name).fence()) === fence,
    };
  }
}

function endOf(action: Action): [string, "removed" | "stopped" | "unhealthy"][] {
  if (action.kind === "remove") return [[action.containerId, "removed"]];
  if (action.kind === "stop") return [[action.containerId, "stopped"]];
  return action.kind === "restart" ? [[action.containerId, "unhealthy"]] : [];
}
