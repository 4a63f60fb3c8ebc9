import { join } from "node:path";
import type { PayloadCodec } from "@temporalio/common";
import * as v from "valibot";
import { Customer } from "#actors/shop/customer/customer.ts";
import { createDelivery, Delivery } from "#actors/shop/delivery/delivery.ts";
import { PlaceOrder, type OrderStatus } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import type { PaymentProvider } from "#actors/shop/payment/provider.ts";
import { SandboxPayment, sandboxProvider } from "#actors/shop/sandbox-payment/sandbox-payment.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { temporalSink } from "#infra/temporal/sink.ts";
import { cuttableWay } from "#infra/testing/cuttable-way.ts";
import { createTroupe, memory, newId, silentLog, type Duration } from "#runtime";
import { type ShopActivities, shopActivities } from "../shop-activities.ts";
import { TASK_QUEUES } from "../task-queues.ts";
import { startWorkers, type Workers } from "../worker.ts";
import { workflowIds } from "../workflow-ids.ts";
import { type FulfilOrderResult, searchAttributes } from "./messages.ts";

const DEADLINE_MS = 20_000;

/** How a {@link testShop} is set up. */
export interface TestShopOptions {
  /** The courier's pace. Default `"20ms"`; `"1h"` lets a test move parcels by hand. */
  readonly step?: Duration;
  readonly maxCachedWorkflows?: number;
  /** How long a customer has to decide. Default `1_000`. */
  readonly decideWithinMs?: number;
  /** Stands between the saga and the sandbox. */
  readonly provider?: (sandbox: PaymentProvider) => PaymentProvider;
  /** Stands between the worker and the activities. */
  readonly activities?: (real: ShopActivities) => ShopActivities;
  /** Seals what Temporal stores. Default: nothing does. */
  readonly codec?: PayloadCodec;
  /** Of task queues and workflow ids, as a cluster has one. Default: none. */
  readonly prefix?: string;
  /** Where Temporal is, with the saga's search attributes. Default: the server that all tests share. */
  readonly address?: string;
  /** Has the workers reach Temporal by a way that `cutOff` can cut. Default: they reach it directly. */
  readonly cuttable?: boolean;
}

/** For tests: a shop of real actors on the memory store, with the real saga on a Temporal server and task queues of its own. */
export async function testShop({
  step = "20ms",
  maxCachedWorkflows,
  decideWithinMs = 1_000,
  provider = (sandbox) => sandbox,
  activities: through = (real) => real,
  codec,
  prefix = "",
  address: given,
  cuttable = false,
}: TestShopOptions = {}) {
  const address = given ?? (await testServer("temporal"));
  const way = cuttable ? await cuttableWay(address) : undefined;
  const queuePrefix = `${newId("test")}-`;
  const temporal = temporalConnection({ address, prefix, ...(codec && { codec }) });
  const keywords = given === undefined ? Object.values(searchAttributes) : [];
  const sink = temporalSink({ temporal, keywords, queuePrefix, log: silentLog });
  const troupe = await createTroupe({
    actors: [Order, Customer, Stock, Payment, SandboxPayment, createDelivery({ step })],
    stores: { default: memory() },
    sinks: [sink],
  });
  const sandbox = sandboxProvider(troupe);
  const activities = through(
    shopActivities({ troupe, provider: provider(sandbox), decideWithinMs, acceptPart: async () => undefined }),
  );
  const start = (by = address): Workers =>
    startWorkers({
      address: by,
      codec,
      queues: [
        {
          taskQueue: prefix + queuePrefix + TASK_QUEUES.shop,
          workflowsPath: join(import.meta.dirname, "..", "shop.ts"),
          activities,
        },
      ],
      log: silentLog,
      eager: temporal.eager,
      ...(maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows }),
    });
  let workers = start(way?.address);
  await workers.ready();

  const order = (orderId: string) => troupe.ref(Order, orderId);
  const handle = (orderId: string) =>
    temporal.client.workflow.getHandle<() => Promise<FulfilOrderResult>>(prefix + workflowIds.fulfilOrder(orderId));

  return {
    troupe,
    temporal,
    queuePrefix,
    order,
    handle,
    delivery: (orderId: string) => troupe.ref(Delivery, orderId),
    returning: (orderId: string) =>
      temporal.client.workflow.getHandle<() => Promise<FulfilOrderResult>>(workflowIds.returnOrder(orderId)),
    payment: (orderId: string) => troupe.ref(Payment, orderId),
    /** What the provider has of an order. */
    provider: sandbox,

    /** Puts `quantity` pieces of a new SKU on the shelf. */
    async stock(quantity: number) {
      const sku = `T-${crypto.randomUUID().slice(0, 18).toUpperCase()}`;
      const stock = troupe.ref(Stock, sku);
      await stock.putProduct({ name: "Tea", price: 450, currency: "EUR" });
      if (quantity > 0) await stock.refill({ quantity });
      return { sku, level: () => stock.level() };
    },

    /** Places an order and returns its id. */
    async place(input: v.InferInput<typeof PlaceOrder>): Promise<string> {
      const orderId = newId("ord");
      await order(orderId).place(v.parse(PlaceOrder, { customerId: "cus_1", ...input }));
      return orderId;
    },

    /** Waits until the order has been in that status; it may be further by then. */
    reaches: (orderId: string, status: OrderStatus) =>
      until(`order ${orderId} to be ${status}`, async () => {
        const found = await order(orderId).get();
        return found?.history.some((past) => past.status === status) === true;
      }),
    /** Waits until the saga waits for the courier. */
    scheduled: (orderId: string) =>
      until(
        `parcel ${orderId} to be scheduled`,
        async () => (await troupe.ref(Delivery, orderId).get())?.status === "scheduled",
      ),

    /** The statuses the order went through, when its saga has ended, and the saga's result. */
    async ended(orderId: string): Promise<{ result: FulfilOrderResult; history: readonly OrderStatus[] }> {
      await until(`the saga of ${orderId} to start`, () =>
        handle(orderId)
          .describe()
          .then(
            () => true,
            () => false,
          ),
      );
      const result = await handle(orderId).result();
      return { result, history: (await order(orderId).get())?.history.map(({ status }) => status) ?? [] };
    },

    stopWorkers: () => workers.stop(),
    /**
     * Loses the workers: nothing of theirs gets to the server any more. Others take their place by `startWorkers`. Resolves when the
     * lost ones have given up; with their tasks in hand that takes them ten seconds.
     */
    async cutOff(): Promise<void> {
      way?.cut();
      await workers.stop();
    },
    async startWorkers(): Promise<void> {
      workers = start();
      await workers.ready();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await workers.stop();
      await troupe.stop();
      await temporal.close();
      way?.cut();
    },
  };
}

/** A running {@link testShop}. */
export type TestShop = Awaited<ReturnType<typeof testShop>>;

/** Polls until `holds`, and fails with what it waited for after 20 s. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${DEADLINE_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
