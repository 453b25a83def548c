/** The tokens that GitHub's and GitLab's pipelines give to their jobs. @see GitHub docs, "Working with the Container registry"; GitLab docs, "Authenticate with the container registry" */
import type { SignIn } from "./ports.ts";

export const githubSignIn: SignIn = {
  matches: (host) => host === "ghcr.io" || host === "docker.pkg.github.com",
  signIn: async (_host, { env }, tell) => {
    const token = env["GITHUB_TOKEN"] || env["GH_TOKEN"];
    if (!token) return tell("environment", "GITHUB_TOKEN is not set");
    return { kind: "basic", username: env["GITHUB_ACTOR"] || "token", password: token };
  },
};

export const gitlabSignIn: SignIn = {
  matches: (host, env) => host === "registry.gitlab.com" || host === env["CI_REGISTRY"],
  signIn: async (host, { env }, tell) => {
    if (env["CI_REGISTRY"] !== host) return tell("environment", `CI_REGISTRY is not ${host}`);
    const [user, password, job] = [env["CI_REGISTRY_USER"], env["CI_REGISTRY_PASSWORD"], env["CI_JOB_TOKEN"]];
    if (user && password) return { kind: "basic", username: user, password };
    if (job) return { kind: "basic", username: "gitlab-ci-token", password: job };
    return tell("environment", "CI_REGISTRY_PASSWORD and CI_JOB_TOKEN are not set");
  },
};
