/**
 * The ingress: everything that speaks HTTP with the outside.
 *
 * Owns: reading and checking requests, status codes, problems, OpenAPI. Does not own: any decision about an order, a
 * product or a workflow; it asks actors and passes on what they say.
 *
 * I1 Nothing unchecked reaches an actor: an endpoint's schemas are the only way in ({@link endpoint}).
 * I2 Every answer carries `x-trace-id`; every failure is a problem, and an unexpected one says nothing of its cause.
 * I3 A body over the limit is refused by its declared length before a byte of it is read.
 */
import { type AnyElysia, Elysia } from "elysia";
import { type Allowed, allowedMethods } from "./allow.ts";
import { refuseLargeBody } from "./body.ts";
import type { IngressDeps } from "./deps.ts";
import { answerError } from "./error-handler.ts";
import { openApiDocument } from "./openapi.ts";
import { actorAdminRoutes } from "./routes/actor-admin.ts";
import { actorsRoutes } from "./routes/actors.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { invoiceRoutes } from "./routes/invoices.ts";
import { notificationRoutes } from "./routes/notifications.ts";
import { orderRoutes } from "./routes/orders.ts";
import { pageRoutes } from "./routes/pages.ts";
import { paymentRoutes } from "./routes/payments.ts";
import { productRoutes } from "./routes/products.ts";
import { projectionRoutes } from "./routes/projections.ts";
import { systemRoutes } from "./routes/system.ts";
import { workflowRoutes } from "./routes/workflows.ts";
import { traceOf } from "./trace.ts";

/** The application. Answer requests with `app.handle`, or serve it with `app.fetch`. */
export function createIngress(deps: IngressDeps, further: readonly AnyElysia[] = []): AnyElysia {
  let allowed: Allowed | undefined;
  let document: Record<string, unknown> | undefined;

  const app: AnyElysia = new Elysia({ name: "ingress" })
    .onRequest(({ request, set }) => {
      set.headers["x-trace-id"] = traceOf(request).traceId; // I2
      set.headers["x-content-type-options"] = "nosniff";
      refuseLargeBody(request); // I3
    })
    .onError(({ request, code, error }) =>
      answerError({
        request,
        code,
        error,
        log: deps.log,
        allowed: (path) => (allowed ??= allowedMethods(app.routes))(path),
        again: (next) => app.handle(next),
      }),
    )
    .use(systemRoutes(deps))
    .use(orderRoutes(deps))
    .use(productRoutes(deps))
    .use(paymentRoutes(deps))
    .use(deliveryRoutes(deps))
    .use(invoiceRoutes(deps))
    .use(notificationRoutes(deps))
    .use(workflowRoutes(deps))
    .use(actorsRoutes(deps))
    .use(projectionRoutes(deps))
    .use(actorAdminRoutes(deps))
    .use(pageRoutes(deps.links, () => (document ??= openApiDocument(app.routes))));
  for (const plugin of further) app.use(plugin);
  return app;
}
