export default { test: { include: ["evals/*.vitest.js"], reporters: ["langsmith/vitest/reporter"], testTimeout: 60_000, hookTimeout: 60_000 } };
