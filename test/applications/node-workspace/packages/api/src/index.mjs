#!/usr/bin/env node
import { describe } from "@workspace/core";
console.log(describe("api", process.argv.slice(2)));
