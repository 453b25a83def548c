/** The library's calls about who made an image, each on its own module, loaded when it is called. */
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { TrustApi } from "./trust-api.ts";

export function createTrust(store: Store, client: () => Promise<RegistryClient>): TrustApi {
  const surroundings = { store, client };
  return {
    sign: async (reference, options) => {
      const { sign } = await import("./signing/sign.ts");
      return await sign(surroundings, reference, options);
    },
    verify: async (reference, options) => {
      const { verify } = await import("./signing/verify.ts");
      return await verify(surroundings, reference, options);
    },
    attest: async (reference, options) => {
      const { attest } = await import("./signing/attest.ts");
      return await attest(surroundings, reference, options);
    },
    verifyAttestations: async (reference, options) => {
      const { verifyAttestations } = await import("./signing/attestations.ts");
      return await verifyAttestations(surroundings, reference, options);
    },
    signIn: async (options) => {
      const { signIn } = await import("./signing/identity-token.ts");
      return await signIn(options);
    },
    signatures: async (reference, options = {}) => {
      const { signatures } = await import("./signing/signatures.ts");
      return await signatures(surroundings, reference, options);
    },
    attestations: async (reference, options = {}) => {
      const { attestations } = await import("./signing/attestations.ts");
      return await attestations(surroundings, reference, options);
    },
  };
}
