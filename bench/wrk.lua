-- SPDX-License-Identifier: MIT
-- For wrk: prints "block NS" for every BLOCK requests, the time that one of them took on average.
-- wrk itself tells one figure for its whole run, in which a machine that is slow for a moment
-- cannot be told from a slow server.
local ffi = require("ffi")

ffi.cdef [[
typedef struct { long seconds; long ns; } bench_time;
int clock_gettime(int clock, bench_time *now);
]]

local BLOCK = 200
local CLOCK_MONOTONIC = 1
local now = ffi.new("bench_time")
local sent, last_ns, text = 0, nil, nil

function init()
	text = wrk.format("GET", wrk.path)
end

function request()
	sent = sent + 1
	if sent % BLOCK == 0 then
		ffi.C.clock_gettime(CLOCK_MONOTONIC, now)
		local now_ns = tonumber(now.seconds) * 1e9 + tonumber(now.ns)
		if last_ns then
			print(string.format("block %.1f", (now_ns - last_ns) / BLOCK))
		end
		last_ns = now_ns
	end
	return text
end
