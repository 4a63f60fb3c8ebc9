/** Every server the stack can start. A new one is a file beside this and a line here. */
import { dockerRecipe } from "./docker.ts";
import { kafkaRecipe } from "./kafka.ts";
import { kubernetesRecipe } from "./kubernetes.ts";
import { natsRecipe } from "./nats.ts";
import { postgresRecipe } from "./postgres.ts";
import { rabbitmqRecipe } from "./rabbitmq.ts";
import type { Recipe } from "./recipe.ts";
import { redisRecipe } from "./redis.ts";
import { temporalRecipe } from "./temporal.ts";
import type { ServerName } from "./types.ts";

/** The recipes by name. */
export const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  postgres: postgresRecipe,
  nats: natsRecipe,
  kafka: kafkaRecipe,
  rabbitmq: rabbitmqRecipe,
  redis: redisRecipe,
  temporal: temporalRecipe,
  docker: dockerRecipe,
  kubernetes: kubernetesRecipe,
};
