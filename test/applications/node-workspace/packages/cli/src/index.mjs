#!/usr/bin/env node
import { describe } from "@workspace/core";
console.log(describe("cli", process.argv.slice(2)));
