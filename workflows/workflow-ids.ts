/** Workflow ids are business ids: the same order can never be fulfilled twice at once. */
export const workflowIds = {
  fulfilOrder: (orderId: string): string => `fulfil-order/${orderId}`,
  returnOrder: (orderId: string): string => `return-order/${orderId}`,
  settlePayment: (orderId: string): string => `settle-payment/${orderId}`,
  runSimulation: (id: string): string => `run-simulation/${id}`,
  refillStock: (run: string): string => `refill-stock/${run}`,
  reconcileService: (name: string): string => `reconcile-service/${name}`,
  runJob: (name: string, run: string): string => `run-job/${name}/${run}`,
  keepSchedule: (name: string): string => `keep-schedule/${name}`,
  deliverWebhook: (deliveryId: string): string => `deliver-webhook/${deliveryId}`,
} as const;
