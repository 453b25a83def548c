/** The addresses in a network of ours. */

/** What a container sees: the same addresses as the first container on Docker's default bridge. */
export const containerAddress = "172.17.0.2";
export const containerGateway = "172.17.0.1";
/** Queries to it go to the host's own resolver, where that one listens on loopback only. */
export const dnsForwardAddress = "172.17.0.1";
/** Where containers in users' networks ask for names, as with Docker. */
export const resolverAddress = "127.0.0.11";
