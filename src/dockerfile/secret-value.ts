/** Values that are secrets by their shape, whatever their name says. */

interface SecretShape {
  readonly pattern: RegExp;
  readonly what: string;
}

const shapes: readonly SecretShape[] = [
  { pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/, what: "a private key" },
  { pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, what: "an AWS access key" },
  { pattern: /\bgh[pousr]_[A-Za-z0-9]{36}/, what: "a GitHub token" },
  { pattern: /\bgithub_pat_[A-Za-z0-9_]{22,}/, what: "a GitHub token" },
  { pattern: /\bglpat-[A-Za-z0-9_-]{20}/, what: "a GitLab token" },
  { pattern: /\bnpm_[A-Za-z0-9]{36}\b/, what: "an npm token" },
  { pattern: /\bpypi-[A-Za-z0-9_-]{32,}/, what: "a PyPI token" },
  { pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/, what: "a Slack token" },
  { pattern: /\bsk_live_[A-Za-z0-9]{16,}/, what: "a Stripe key" },
  { pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/, what: "a JSON web token" },
];

/** `scheme://user:password@host`, a password that is neither empty nor a variable. */
const credentials = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/i;

/** "a GitHub token"; undefined when nothing looks like a secret. Never the value itself. */
export function secretIn(value: string): string | undefined {
  const shape = shapes.find(({ pattern }) => pattern.test(value));
  if (shape !== undefined) return shape.what;
  const password = credentials.exec(value)?.[1];
  return password === undefined || /[$<{*]/.test(password) ? undefined : "a password";
}
