/** Every Temporal task queue, in one place: a typo elsewhere would make a second queue that nobody serves. */
export const TASK_QUEUES = {
  shop: "shop",
  gateway: "gateway",
  orchestrator: "orchestrator",
} as const;
