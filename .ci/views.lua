-- For .ci/bench-web.sh: one thread of wrk sends VIEWS requests, every other one as a browser that has the page
-- already (ETAG), and ends when all are answered. Prints how many answers were 200 and 304: those are views.
local most, tag = tonumber(os.getenv("VIEWS")), os.getenv("ETAG")
local sent, answered = 0, 0
pages, known = 0, 0

function setup(thread)
  worker = thread
end

-- wrk would send requests on every connection until its time is over; those in excess wait for longer than that.
function delay()
  if sent < most then
    sent = sent + 1
    return 0
  end
  return 3600 * 1000
end

function request()
  if sent % 2 == 0 then
    return wrk.format("GET", nil, { ["If-None-Match"] = tag })
  end
  return wrk.format("GET")
end

function response(status)
  answered = answered + 1
  if status == 200 then pages = pages + 1 end
  if status == 304 then known = known + 1 end
  if answered == most then wrk.thread:stop() end
end

function done()
  io.write(string.format("views 200 %d 304 %d\n", worker:get("pages"), worker:get("known")))
end
