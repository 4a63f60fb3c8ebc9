import { lazy, Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { Shell } from "./shell.tsx";

const Overview = lazy(() => import("./overview.tsx").then(({ Overview: page }) => ({ default: page })));
const ActorTypes = lazy(() => import("./actors.tsx").then(({ ActorTypes: page }) => ({ default: page })));
const ActorType = lazy(() => import("./actors.tsx").then(({ ActorType: page }) => ({ default: page })));
const ActorPage = lazy(() => import("./actor.tsx").then(({ ActorPage: page }) => ({ default: page })));
const Events = lazy(() => import("./events.tsx").then(({ Events: page }) => ({ default: page })));
const BrokersPage = lazy(() => import("./brokers.tsx").then(({ BrokersPage: page }) => ({ default: page })));
const DeadLetters = lazy(() => import("./dead-letters.tsx").then(({ DeadLetters: page }) => ({ default: page })));
const DeadLetterPage = lazy(() => import("./dead-letter.tsx").then(({ DeadLetterPage: page }) => ({ default: page })));
const Workflows = lazy(() => import("./workflows.tsx").then(({ Workflows: page }) => ({ default: page })));
const WorkflowPage = lazy(() => import("./workflow.tsx").then(({ WorkflowPage: page }) => ({ default: page })));
const Services = lazy(() => import("./services.tsx").then(({ Services: page }) => ({ default: page })));
const ServicePage = lazy(() => import("./service.tsx").then(({ ServicePage: page }) => ({ default: page })));
const Config = lazy(() => import("./config.tsx").then(({ Config: page }) => ({ default: page })));
const Traces = lazy(() => import("./traces.tsx").then(({ Traces: page }) => ({ default: page })));
const TracePage = lazy(() => import("./trace.tsx").then(({ TracePage: page }) => ({ default: page })));
const Cluster = lazy(() => import("./cluster.tsx").then(({ Cluster: page }) => ({ default: page })));
const Measures = lazy(() => import("./measures.tsx").then(({ Measures: page }) => ({ default: page })));
const FoundPage = lazy(() => import("./found.tsx").then(({ FoundPage: page }) => ({ default: page })));
const ChaosPage = lazy(() => import("./chaos.tsx").then(({ ChaosPage: page }) => ({ default: page })));
const Settings = lazy(() => import("./settings.tsx").then(({ Settings: page }) => ({ default: page })));

start(
  <Router base="/console">
    <Shell>
      <Suspense fallback={<Skeleton rows={10} height={36} />}>
        <Switch>
          <Route path="/" component={Overview} />
          <Route path="/actors" component={ActorTypes} />
          <Route path="/actors/:id" component={ActorType} />
          <Route path="/actors/:id/:key" component={ActorPage} />
          <Route path="/events" component={Events} />
          <Route path="/brokers" component={BrokersPage} />
          <Route path="/dead-letters" component={DeadLetters} />
          <Route path="/dead-letters/:id" component={DeadLetterPage} />
          <Route path="/workflows" component={Workflows} />
          <Route path="/workflows/:id" component={WorkflowPage} />
          <Route path="/services" component={Services} />
          <Route path="/services/:id" component={ServicePage} />
          <Route path="/config" component={Config} />
          <Route path="/traces" component={Traces} />
          <Route path="/traces/:id" component={TracePage} />
          <Route path="/cluster" component={Cluster} />
          <Route path="/metrics" component={Measures} />
          <Route path="/search" component={FoundPage} />
          <Route path="/chaos" component={ChaosPage} />
          <Route path="/settings" component={Settings} />
          <Route>
            <Empty title="There is no such page">The navigation lists them all.</Empty>
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  </Router>,
);
