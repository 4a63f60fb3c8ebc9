import { lazy, Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { Shell } from "./shell.tsx";

const Overview = lazy(() => import("./overview.tsx").then(({ Overview: page }) => ({ default: page })));

start(
  <Router base="/console">
    <Shell>
      <Suspense fallback={<Skeleton rows={10} height={36} />}>
        <Switch>
          <Route path="/" component={Overview} />
          <Route>
            <Empty title="There is no such page">The navigation lists them all.</Empty>
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  </Router>,
);
