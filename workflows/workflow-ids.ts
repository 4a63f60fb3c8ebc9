/** Workflow ids are business ids: the same order can never be fulfilled twice at once. */
export const workflowIds = {
  fulfilOrder: (orderId: string): string => `fulfil-order/${orderId}`,
  reconcileService: (name: string): string => `reconcile-service/${name}`,
  deliverWebhook: (deliveryId: string): string => `deliver-webhook/${deliveryId}`,
} as const;
