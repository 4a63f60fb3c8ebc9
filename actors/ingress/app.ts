/**
 * The ingress: everything that speaks HTTP with the outside.
 *
 * Owns: reading and checking requests, status codes, problems, OpenAPI. Does not own: any decision about an order, a
 * product or a workflow; it asks actors and passes on what they say.
 *
 * I1 Nothing unchecked reaches an actor: an endpoint's schemas are the only way in ({@link endpoint}).
 * I2 Every answer carries `x-trace-id`; every failure is a problem, and an unexpected one says nothing of its cause.
 * I3 A body over the limit is refused by its declared length before a byte of it is read.
 * I4 Who asks is known before anything is read: the guard stands outside of every route, and of Elysia.
 */
import { type AnyElysia, Elysia } from "elysia";
import { refuseNul } from "#infra/http/address.ts";
import { limitBody, refuseLargeBody } from "#infra/http/body.ts";
import { mark } from "#infra/http/mark.ts";
import { type MountedRoute, openApiDocument } from "#infra/http/openapi.ts";
import { preflight, share } from "../access/guard/cors.ts";
import { pathIn, RouteTable } from "../access/guard/route-table.ts";
import { keyRoutes } from "../access/http/keys.ts";
import { ticketRoutes } from "../access/http/tickets.ts";
import { customerRoutes } from "../shop/http/customers.ts";
import { deliveryRoutes } from "../shop/http/deliveries.ts";
import { invoiceRoutes } from "../shop/http/invoices.ts";
import { notificationRoutes } from "../shop/http/notifications.ts";
import { orderRoutes } from "../shop/http/orders.ts";
import { paymentRoutes } from "../shop/http/payments.ts";
import { productRoutes } from "../shop/http/products.ts";
import { type Allowed, allowedMethods } from "./allow.ts";
import type { IngressDeps } from "./deps.ts";
import { answerError } from "./error-handler.ts";
import { actorAdminRoutes } from "./routes/actor-admin.ts";
import { actorsRoutes } from "./routes/actors.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { pageRoutes } from "./routes/pages.ts";
import { projectionRoutes } from "./routes/projections.ts";
import { systemRoutes } from "./routes/system.ts";
import { workflowRoutes } from "./routes/workflows.ts";

/** The ingress as those who serve it see it: there is no way in past the guard. */
export interface Ingress {
  /** Answers a request. Never rejects. */
  handle(request: Request): Promise<Response>;
  readonly routes: readonly MountedRoute[];
}

/** The application: its routes, behind `deps.guard`. */
export function createIngress(deps: IngressDeps, further: readonly AnyElysia[] = []): Ingress {
  const { guard, counts, origins = NO_ORIGINS } = deps;
  let table: RouteTable | undefined;
  let allowed: Allowed | undefined;
  let document: Record<string, unknown> | undefined;

  const app: AnyElysia = new Elysia({ name: "ingress" })
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
    .use(customerRoutes(deps))
    .use(productRoutes(deps))
    .use(paymentRoutes(deps))
    .use(deliveryRoutes(deps))
    .use(invoiceRoutes(deps))
    .use(notificationRoutes(deps))
    .use(workflowRoutes(deps))
    .use(actorsRoutes(deps))
    .use(projectionRoutes(deps))
    .use(actorAdminRoutes(deps))
    .use(keyRoutes(deps))
    .use(ticketRoutes(deps))
    .use(pageRoutes(deps.links, () => (document ??= openApiDocument(app.routes))));
  if (deps.metrics !== undefined) app.use(metricsRoute(deps.metrics));
  for (const plugin of further) app.use(plugin);

  /** In one function, as every one in between would cost each request a promise. */
  async function handle(request: Request): Promise<Response> {
    const since = performance.now();
    const { method } = request;
    const route = (table ??= new RouteTable(app.routes)).find(method, pathIn(request.url));
    let response = preflight(request, origins()); // before the guard: a browser sends no key with it
    if (response === undefined) {
      try {
        const admission = guard?.admit(request, method === "OPTIONS" ? "key" : (route?.access ?? "admin")); // I4
        if (admission !== undefined) await admission;
        if (deps.maxBodyBytes !== undefined) limitBody(request, deps.maxBodyBytes());
        refuseLargeBody(request); // I3
        refuseNul(request);
        response = await app.fetch(request);
      } catch (error) {
        response = await refusal(request, error);
      }
      mark(response, request); // I2
      guard?.describe(request, response);
      share(request, response, origins());
    }
    counts?.answered(route?.route, method, response.status, (performance.now() - since) / 1_000);
    return response;
  }

  function refusal(request: Request, error: unknown): Promise<Response> {
    const { log } = deps;
    return answerError({ request, error, code: "UNKNOWN", log, allowed: () => [], again: app.handle });
  }

  return {
    get routes() {
      return app.routes;
    },
    handle,
  };
}

const NO_ORIGINS = (): readonly string[] => [];
