import type { BrokerName } from "./broker-sinks.ts";
import { progress } from "./progress.ts";
import { BACKLOG, pollerDrain, relayDrain } from "./relay-drain.ts";
import { pollerLatency, relayLatency } from "./relay-latency.ts";
import type { BenchCase } from "./report.ts";

const BROKERS: readonly BrokerName[] = ["nats", "kafka"];

/** From the commit to the broker, one by one and with a backlog, against a poller over a table. */
export async function* relay(): AsyncGenerator<BenchCase> {
  for (const broker of BROKERS) {
    progress(`relay: commit to acknowledgement, ${broker}, the relay and then the poller (10 s each)`);
    const measured = await relayLatency(broker);
    const baseline = { name: "SKIP LOCKED poller, 50 ms", ...(await pollerLatency(broker)) };
    yield { bench: "relay", case: `${broker}, 1,000 events/s`, measured, baseline };
  }
  for (const broker of BROKERS) {
    progress(`relay: a backlog of ${BACKLOG} events to ${broker}`);
    const measured = await relayDrain(broker);
    const baseline = { name: "SKIP LOCKED poller without a pause", ...(await pollerDrain(broker)) };
    yield { bench: "relay", case: `${broker}, backlog of ${BACKLOG}`, measured, baseline };
  }
}
