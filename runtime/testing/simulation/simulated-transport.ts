import { TroupeError } from "../../message/errors.ts";
import type { Envelope } from "../../ports/envelope.ts";
import type { Transport, WireReply } from "../../ports/transport.ts";
import { never, type NodeLife } from "./node-life.ts";
import type { Surroundings } from "./surroundings.ts";

/** Carries calls between the nodes of a world, as a network does. */
export function simulatedTransport(world: Surroundings, life: NodeLife): Transport {
  return {
    serve: async (_node, handle) => {
      life.serve = handle;
    },
    call: (node, envelope) => (life.alive ? carry(world, life, node, envelope) : never()),
    close: async () => {
      life.serve = undefined;
    },
  };
}

function wayMs(world: Surroundings): number {
  const { random, plan } = world;
  return plan.strikes("transport-delay") ? 5 + random.fraction() * 150 : 0.05 + random.fraction();
}

function carry(world: Surroundings, from: NodeLife, node: string, envelope: Envelope): Promise<WireReply> {
  const { plan, time } = world;
  return new Promise((resolve, reject) => {
    const deadline = `Cannot get a reply from ${node} within ${Math.round(envelope.timeoutMs)} ms`;
    from.after(Math.max(0, envelope.timeoutMs), () => reject(new TroupeError("deadline_exceeded", deadline)));
    const text = JSON.stringify(envelope);
    const deliver = (): void => {
      const to = world.lives.find(({ id }) => id === node);
      if (to === undefined || !to.alive || to.serve === undefined) {
        from.after(wayMs(world), () => reject(new TroupeError("unavailable", `Nobody serves ${node}`)));
        return;
      }
      // A paused node takes it when it wakes.
      to.after(0, () => {
        void to.serve?.(JSON.parse(text) as Envelope).then((reply) => {
          if (!to.alive || plan.strikes("transport-loss")) return;
          from.after(wayMs(world), () => resolve(JSON.parse(JSON.stringify(reply)) as WireReply));
        });
      });
    };
    if (plan.strikes("transport-loss")) {
      world.note({ kind: "fault", fault: "transport-loss", detail: `a call from ${from.id} to ${node}` });
      return;
    }
    time.after(wayMs(world), deliver);
    if (envelope.id !== undefined && plan.strikes("transport-repeat")) {
      world.note({ kind: "fault", fault: "transport-repeat", detail: envelope.id });
      time.after(wayMs(world) * 3, deliver);
    }
  });
}
