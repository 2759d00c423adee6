-- wrk's side: sends the tokens of a file one after the other, and prints what became of it as JSON. A token may have a proof
-- of possession beside it.
-- Arguments: the file, how many of its tokens to use, how many of these to skip at first, the size of the body to send.

local requests, sent = {}, 0

function init(arguments)
   local limit, size = tonumber(arguments[2]), tonumber(arguments[4])
   sent = tonumber(arguments[3])
   local method = size > 0 and "POST" or "GET"
   local body = size > 0 and string.rep("x", size) or nil
   for token in io.lines(arguments[1]) do
      if #requests == limit then break end
      requests[#requests + 1] = wrk.format(method, nil, headers(token), body)
   end
end

function headers(line)
   local token, proof = line:match("^(%S+) (%S+)$")
   if proof then
      return { Host = "api.example", Authorization = "DPoP " .. token, DPoP = proof }
   end
   return { Authorization = "Bearer " .. line }
end

function request()
   sent = sent % #requests + 1
   return requests[sent]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
