import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { start } from "../kit/app.tsx";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { Shell } from "./shell.tsx";

const Home = lazy(() => import("./home.tsx").then(({ Home: page }) => ({ default: page })));

start(
  <Shell>
    <Suspense fallback={<Skeleton rows={6} height={80} />}>
      <Switch>
        <Route path="/" component={Home} />
        <Route>
          <Empty title="There is no such page">
            <a href="/">To the products</a>
          </Empty>
        </Route>
      </Switch>
    </Suspense>
  </Shell>,
);
