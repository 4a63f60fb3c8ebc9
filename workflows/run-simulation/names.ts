/** The names of `runSimulation` that the outside uses. */
export const RUN_SIMULATION = { stop: "stopSimulation" } as const;
