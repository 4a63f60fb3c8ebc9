import { Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { loadLater } from "../kit/load-later.ts";
import { Shell } from "./shell.tsx";

const Overview = loadLater(() => import("./overview.tsx").then(({ Overview: page }) => page));
const ActorTypes = loadLater(() => import("./actors.tsx").then(({ ActorTypes: page }) => page));
const ActorType = loadLater(() => import("./actors.tsx").then(({ ActorType: page }) => page));
const ActorPage = loadLater(() => import("./actor.tsx").then(({ ActorPage: page }) => page));
const Events = loadLater(() => import("./events.tsx").then(({ Events: page }) => page));
const BrokersPage = loadLater(() => import("./brokers.tsx").then(({ BrokersPage: page }) => page));
const DeadLetters = loadLater(() => import("./dead-letters.tsx").then(({ DeadLetters: page }) => page));
const DeadLetterPage = loadLater(() => import("./dead-letter.tsx").then(({ DeadLetterPage: page }) => page));
const Workflows = loadLater(() => import("./workflows.tsx").then(({ Workflows: page }) => page));
const WorkflowPage = loadLater(() => import("./workflow.tsx").then(({ WorkflowPage: page }) => page));
const Services = loadLater(() => import("./services.tsx").then(({ Services: page }) => page));
const ServicePage = loadLater(() => import("./service.tsx").then(({ ServicePage: page }) => page));
const Config = loadLater(() => import("./config.tsx").then(({ Config: page }) => page));
const Traces = loadLater(() => import("./traces.tsx").then(({ Traces: page }) => page));
const TracePage = loadLater(() => import("./trace.tsx").then(({ TracePage: page }) => page));
const Cluster = loadLater(() => import("./cluster.tsx").then(({ Cluster: page }) => page));
const Measures = loadLater(() => import("./measures.tsx").then(({ Measures: page }) => page));
const FoundPage = loadLater(() => import("./found.tsx").then(({ FoundPage: page }) => page));
const ChaosPage = loadLater(() => import("./chaos.tsx").then(({ ChaosPage: page }) => page));
const Settings = loadLater(() => import("./settings.tsx").then(({ Settings: page }) => page));

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
