/**
 * The ingress: everything that speaks HTTP with the outside.
 *
 * Owns: reading and checking requests, status codes, problems, OpenAPI. Does not own: any decision about an order, a
 * product or a workflow; it asks actors and passes on what they say.
 *
 * I1 Nothing unchecked reaches an actor: an endpoint's schemas are the only way in ({@link endpoint}).
 * I2 Every answer carries `x-trace-id`; every failure is a problem, and an unexpected one says nothing of its cause.
 * I3 A body over the limit is refused by its declared length before a byte of it is read.
 * I4 Who asks is known before anything else is read: each route runs behind its gate, and there is no other way to it.
 * I5 A request has one address ({@link targetOf}) and is matched once ({@link createRouter}). One that could be read in two
 *    ways is refused; with keys off, so is one that reached us under a name that is not this machine's.
 */
import type { AnyElysia } from "elysia";
import type { ActorHandler } from "#infra/door/mod.ts";
import { type Access } from "#infra/http/access.ts";
import { refuseNul } from "#infra/http/address.ts";
import { limitBody, refuseLargeBody } from "#infra/http/body.ts";
import { mark } from "#infra/http/mark.ts";
import { type MountedRoute, openApiDocument } from "#infra/http/openapi.ts";
import { Problem } from "#infra/http/problem.ts";
import { isLoopbackHost, targetOf } from "#infra/http/target.ts";
import { beginRequest, endRequest, traceOf } from "#infra/http/trace.ts";
import { ClusterTraces } from "#infra/otel/cluster-traces.ts";
import type { Span } from "#runtime";
import { preflight, share } from "../access/guard/cors.ts";
import { keyRoutes } from "../access/http/keys.ts";
import { ticketRoutes } from "../access/http/tickets.ts";
import type { UpgradeTunnel } from "../orchestrator/http/traffic/forwarder.ts";
import { customerRoutes } from "../shop/http/customers.ts";
import { deliveryRoutes } from "../shop/http/deliveries.ts";
import { invoiceRoutes } from "../shop/http/invoices.ts";
import { notificationRoutes } from "../shop/http/notifications.ts";
import { orderChangeRoutes } from "../shop/http/order-changes.ts";
import { orderRoutes } from "../shop/http/orders.ts";
import { paymentRoutes } from "../shop/http/payments.ts";
import { productRoutes } from "../shop/http/products.ts";
import { reportRoutes } from "../shop/http/reports.ts";
import { simulationRoutes } from "../shop/http/simulations.ts";
import type { Forwarding, IngressDeps } from "./deps.ts";
import { answerError, headOf, noRoute } from "./error-handler.ts";
import { createRouter, type Router, routeOf } from "./router.ts";
import { actorAdminRoutes } from "./routes/actor-admin.ts";
import { actorTypeRoutes } from "./routes/actor-types.ts";
import { actorsRoutes } from "./routes/actors.ts";
import { brokerRoutes } from "./routes/brokers.ts";
import { chaosRoutes } from "./routes/chaos.ts";
import { codecRoutes } from "./routes/codec.ts";
import { docsRoutes } from "./routes/docs.ts";
import { metricsRoute, pastMetricsRoutes } from "./routes/metrics.ts";
import { pageRoutes } from "./routes/pages.ts";
import { projectionRoutes } from "./routes/projections.ts";
import { RPC_SOCKET_PATH, rpcRoutes } from "./routes/rpc.ts";
import { searchRoutes } from "./routes/search.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { systemRoutes } from "./routes/system.ts";
import { askForTraces, tracesRoutes } from "./routes/traces.ts";
import { workflowRoutes } from "./routes/workflows.ts";
import { SOCKET_PATH } from "./sockets/sockets.ts";

/** The ingress as those who serve it see it: there is no way in past the guard. */
export interface Ingress {
  /** Answers a request. Never rejects. */
  handle(request: Request): Promise<Response>;
  /**
   * As `handle`; what asks for a socket ({@link SOCKET_PATH}, {@link RPC_SOCKET_PATH}) goes to `upgrade`, which answers `undefined`
   * where it made a socket of it.
   */
  serve(request: Request, upgrade: Upgrade, tunnel?: UpgradeTunnel): Promise<Response | undefined>;
  readonly routes: readonly MountedRoute[];
  /** The typed door; `undefined`: there is none. */
  readonly rpc: ActorHandler | undefined;
}

/** Makes a socket of a request, or says why not. `path`: which of the two. */
export type Upgrade = (request: Request, path: string) => Promise<Response | undefined>;

/** The application: its routes, behind `deps.guard`. */
export function createIngress(deps: IngressDeps, further: readonly AnyElysia[] = []): Ingress {
  const { guard, counts, log, origins = NO_ORIGINS } = deps;
  const keysOff = guard?.keysOff ?? true;
  let document: Record<string, unknown> | undefined;

  const rpc = deps.rpc === undefined ? undefined : rpcRoutes(deps, deps.rpc);
  const ofItself = [systemRoutes(deps), ...(deps.metrics === undefined ? [] : [metricsRoute(deps.metrics)])];
  const forOthers = () => [
    orderRoutes(deps),
    orderChangeRoutes(deps),
    customerRoutes(deps),
    simulationRoutes(deps),
    reportRoutes(deps),
    productRoutes(deps),
    paymentRoutes(deps),
    deliveryRoutes(deps),
    invoiceRoutes(deps),
    notificationRoutes(deps),
    workflowRoutes(deps),
    actorsRoutes(deps),
    projectionRoutes(deps),
    actorAdminRoutes(deps),
    ...(deps.search === undefined ? [] : [actorTypeRoutes(deps, deps.search.actors)]),
    ...(deps.settings === undefined ? [] : [settingsRoutes(deps.settings)]),
    ...(deps.pastMetrics === undefined ? [] : [pastMetricsRoutes(deps.pastMetrics)]),
    ...(rpc === undefined ? [] : [rpc]),
    ...(deps.codec === undefined ? [] : [codecRoutes({ codec: deps.codec })]),
    ...(deps.traces === undefined
      ? []
      : [tracesRoutes(new ClusterTraces(askForTraces(deps.troupe, deps.traces)), deps.traces)]),
    ...(deps.tails === undefined ? [] : [brokerRoutes(deps, deps.tails)]),
    ...(deps.chaos === undefined ? [] : [chaosRoutes(deps.chaos)]),
    ...(deps.search === undefined ? [] : [searchRoutes(deps, deps.search)]),
    keyRoutes(deps),
    ticketRoutes(deps),
    docsRoutes(),
    pageRoutes(() => (document ??= openApiDocument(router.routes, { keysOff }))),
    ...further,
  ];
  const router: Router = createRouter(deps.serves === false ? ofItself : [...ofItself, ...forOthers()], {
    enter,
    failed: (request, code, error) => answerError({ request, code, error, log }),
    async unrouted(request) {
      const { path } = targetOf(request);
      const methods = router.methodsAt(path);
      // The route of GET has a gate of its own.
      if (request.method === "HEAD" && methods.includes("HEAD")) return headOf(await router.fetch(request, "GET"));
      await enter(request, request.method === "OPTIONS" ? "key" : "admin");
      return noRoute(request, methods);
    },
  });

  /** All that is found out of a request before its route is asked, in the order in which a stranger may learn it. */
  function enter(request: Request, access: Access): Promise<void> | undefined {
    const admission = guard?.admit(request, access); // Ingress.I4
    if (admission !== undefined) return admission.then(() => bound(request));
    bound(request);
    return undefined;
  }

  /** The origins whose pages may read an answer. */
  function originsOf(path: string): readonly string[] {
    const { codecOrigins = [] } = deps;
    return path.startsWith("/codec/") && codecOrigins.length > 0 ? [...origins(), ...codecOrigins] : origins();
  }

  function bound(request: Request): void {
    if (deps.maxBodyBytes !== undefined) limitBody(request, deps.maxBodyBytes());
    refuseLargeBody(request); // Ingress.I3
    refuseNul(request);
  }

  /** What asks for {@link RPC_SOCKET_PATH} without an upgrade is answered by its route. */
  function opensSocket(request: Request, path: string): boolean {
    if (path === SOCKET_PATH) return true;
    return path === RPC_SOCKET_PATH && rpc?.door.wantsSocket(request) === true;
  }

  /** In one function, as every one in between would cost each request a promise. */
  async function serve(request: Request, upgrade?: Upgrade, tunnel?: UpgradeTunnel): Promise<Response | undefined> {
    const since = performance.now();
    let response: Response | undefined;
    let forwarding: Forwarding | undefined;
    let span: Span | undefined;
    let readers: readonly string[] = [];
    try {
      const { host, path, query } = targetOf(request); // Ingress.I5
      if (keysOff && !isLoopbackHost(host)) throw notHere();
      if (upgrade !== undefined && deps.serves !== false && opensSocket(request, path)) {
        return await upgrade(request, path);
      }
      if (!QUIET.test(path)) span = beginRequest(request, deps.tracing, path);
      forwarding =
        deps.serves === false
          ? undefined
          : deps.forward?.find(request, path, query, (at) => router.methodsAt(at).length > 0);
      readers = forwarding?.origins === undefined ? originsOf(path) : [...originsOf(path), ...forwarding.origins];
      response = preflight(request, readers); // before the guard: a browser sends no key with it
      if (response === undefined && forwarding?.kind === "own") {
        if (forwarding.access !== null) await guard?.admitAhead(request, forwarding.access); // Ingress.I4
        forwarding.pass();
      } else if (response === undefined && forwarding?.kind === "elsewhere") {
        await guard?.admit(request, forwarding.access); // Ingress.I4
        response = await forwarding.answer(tunnel);
        if (response === undefined) {
          endRequest(span, request, forwarding.route, 101);
          return undefined;
        }
      }
      response ??= await router.fetch(request);
    } catch (error) {
      response = await answerError({ request, error, code: "UNKNOWN", log });
    }
    mark(response, request); // Ingress.I2
    guard?.describe(request, response);
    share(request, response, readers);
    const route = forwarding?.kind === "elsewhere" ? forwarding.route : routeOf(request);
    endRequest(span, request, route, response.status);
    const seconds = (performance.now() - since) / 1_000;
    counts?.answered(route, request.method, response.status, seconds, traceOf(request).traceparent);
    return response;
  }

  return {
    routes: router.routes,
    rpc: rpc?.door,
    serve,
    handle: (request) => serve(request) as Promise<Response>, // only an upgrade answers nothing
  };
}

/** Who looks at the process, and the files of pages: nobody asks for their traces. */
const QUIET = /^\/(?:(?:health|ready|metrics)$|(?:assets|brokers|console|search|traces|v1)(?:\/|$))/;
const NO_ORIGINS = (): readonly string[] => [];

function notHere(): Problem {
  return new Problem(
    421,
    "host.unknown",
    "Without keys only localhost is answered: set TROUPE_AUTH=on to serve others",
  );
}
