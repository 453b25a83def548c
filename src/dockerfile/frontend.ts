/** What the frontend that `# syntax=` names has beyond the one that Docker 28.5 brings along. */

export interface FrontendFeatures {
  /** RUN --security: of labs frontends, and of all from 1.20 on */
  readonly security: boolean;
}

export const builtinFeatures: FrontendFeatures = { security: false };

const oldVersion = /:1\.(?:1?\d)(?:\.\d+)?$/;

/** `syntax`: the directive's image. A version that moves, as in `docker/dockerfile:1`, is a new one. */
export function featuresOf(syntax: string | undefined): FrontendFeatures {
  return { security: syntax !== undefined && !oldVersion.test(syntax) };
}
