-- One wrk script for every OpenID-provider workload. Everything it needs comes
-- in environment variables set by bench.py, so that any OP can be driven by the
-- same generator. Run wrk with exactly one thread (-t1).
--
--   BW_KIND    get | post | code | refresh | bearer | introspect | assertion | dpop | refused
--   BW_PATH    path (and query) of the endpoint under test
--   BW_BODY    form body (post); for the other kinds see below
--   BW_AUTH    value of the Authorization header ("" = none)
--   BW_EXPECT  expected status of the measured answer
--   BW_MATCH   plain substring the body must contain ("" = do not look)
--   BW_FILE    file with one token, assertion or proof a line
--   BW_METHOD, BW_HEADERS  method and header lines (refused)
--   BW_COOKIES file with one Cookie header value a line (code)
--   BW_AUTHZ, BW_TOKEN_PATH, BW_TOKEN_BODY  (code)
--   BW_PAR_PATH, BW_CLIENT  where the request in BW_BODY is pushed first, and by which client (code; "" = not pushed)
--
-- wrk calls request() again on a connection right after response() of the same
-- connection, so a FIFO of "next steps" carries a flow through its steps with
-- as many flows under way as there are connections.

local env = os.getenv
local kind = env("BW_KIND") or "get"
local path = env("BW_PATH") or "/"
local body = env("BW_BODY") or ""
local auth = env("BW_AUTH") or ""
local expect = tonumber(env("BW_EXPECT") or "200")
local match = env("BW_MATCH") or ""
local FORM = "application/x-www-form-urlencoded"

-- globals: read back through thread:get() in done()
ok, bad, flows, steps, dry = 0, 0, 0, 0, 0
first_bad = ""

local threads = {}
function setup(thread) table.insert(threads, thread) end

local function headers(ct, authz)
  local h = {}
  if authz and authz ~= "" then h["Authorization"] = authz end
  if ct then h["Content-Type"] = ct end
  h["Accept"] = "*/*"
  return h
end

local function fail(status, b)
  bad = bad + 1
  if first_bad == "" then first_bad = tostring(status) .. " " .. string.sub(b or "", 1, 160) end
end

local function header(h, name)
  local v = h[name] or h[string.lower(name)]
  if v then return v end
  name = string.lower(name)
  for k, x in pairs(h) do if string.lower(k) == name then return x end end
end

local function lines(file)
  local t = {}
  for l in io.lines(file) do if l ~= "" then t[#t + 1] = l end end
  return t
end

local function urlenc(s)
  return (string.gsub(s, "[^%w%-%._~]", function(c) return string.format("%%%02X", string.byte(c)) end))
end
local function urldec(s)
  return (string.gsub(s, "%%(%x%x)", function(x) return string.char(tonumber(x, 16)) end))
end

-- FIFO
local head, tail, q = 1, 0, {}
local function push(x) tail = tail + 1; q[tail] = x end
local function pop()
  if head > tail then return nil end
  local x = q[head]; q[head] = nil; head = head + 1
  return x
end

local function check(status, _, b)
  if status == expect and (match == "" or string.find(b, match, 1, true)) then ok = ok + 1
  else fail(status, b) end
end

if kind == "get" then
  -- static request: no response() callback, wrk itself counts non-2xx/3xx
  function init() wrk.method = "GET"; wrk.path = path; req = wrk.format("GET", path, headers(nil, auth)) end
  function request() return req end

elseif kind == "post" then
  function init() req = wrk.format("POST", path, headers(FORM, auth), body) end
  function request() return req end
  function response(s, h, b) check(s, h, b) end

elseif kind == "bearer" then
  local reqs, i = {}, 0
  function init()
    for _, t in ipairs(lines(env("BW_FILE"))) do
      reqs[#reqs + 1] = wrk.format("GET", path, headers(nil, "Bearer " .. t))
    end
  end
  function request() i = i % #reqs + 1; return reqs[i] end
  function response(s, h, b) check(s, h, b) end

elseif kind == "introspect" then
  local reqs, i = {}, 0
  function init()
    for _, t in ipairs(lines(env("BW_FILE"))) do
      reqs[#reqs + 1] = wrk.format("POST", path, headers(FORM, auth), body .. "token=" .. urlenc(t))
    end
  end
  function request() i = i % #reqs + 1; return reqs[i] end
  function response(s, h, b) check(s, h, b) end

elseif kind == "assertion" or kind == "dpop" then
  -- each line is sent once
  local pool, i, hdr = {}, 0, nil
  function init()
    pool, hdr = lines(env("BW_FILE")), headers(FORM, auth)
  end
  function request()
    i = i + 1
    local t = pool[i]
    pool[i] = nil
    if not t then dry = dry + 1; t = "none" end
    if kind == "dpop" then
      hdr["DPoP"] = t
      return wrk.format("POST", path, hdr, body)
    end
    return wrk.format("POST", path, hdr, body ..
      "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" .. t)
  end
  function response(s, h, b) check(s, h, b) end

elseif kind == "refused" then
  -- the error is in the body, or in the address a browser is sent back to
  function init()
    local h = { ["Accept"] = "*/*" }
    for line in string.gmatch(env("BW_HEADERS") or "", "[^\n]+") do
      local name, value = string.match(line, "^([^:]+): (.*)$")
      h[name] = value
    end
    local method = env("BW_METHOD")
    req = wrk.format(method, path, h, method == "POST" and body or nil)
  end
  function request() return req end
  function response(s, h, b) check(s, h, (header(h, "Location") or "") .. b) end

elseif kind == "refresh" then
  local hdr
  function init()
    hdr = headers(FORM, auth)
    for _, t in ipairs(lines(env("BW_FILE"))) do push(t) end
  end
  function request()
    local t = pop()
    if not t then dry = dry + 1; t = "none" end
    return wrk.format("POST", path, hdr, body .. "&refresh_token=" .. urlenc(t))
  end
  function response(s, _, b)
    local t = s == 200 and string.match(b, '"refresh_token"%s*:%s*"([^"]+)"')
    if t then ok = ok + 1; push(t) else fail(s, b) end
  end

elseif kind == "code" then
  -- (POST PAR ->) GET authorize of a signed-in browser -> 302/303 with a code -> POST token
  local authz = env("BW_AUTHZ")           -- path?query up to the state; we append &state=N&nonce=N
  local ppath, client = env("BW_PAR_PATH") or "", env("BW_CLIENT")
  local tpath, tbody = env("BW_TOKEN_PATH"), env("BW_TOKEN_BODY")
  local cookies, ci, n, thdr = {}, 0, 0, nil
  function init()
    cookies = lines(env("BW_COOKIES"))
    thdr = headers(FORM, auth)
  end
  local function authz_req(address)
    ci = ci % #cookies + 1
    return wrk.format("GET", address, { ["Cookie"] = cookies[ci], ["Accept"] = "text/html" })
  end
  local function token_req(code)
    return wrk.format("POST", tpath, thdr, tbody .. "&code=" .. urlenc(code))
  end
  function request()
    local s = pop()
    if s then return s end
    n = n + 1
    local numbers = "&state=s" .. n .. "&nonce=n" .. n
    if ppath ~= "" then return wrk.format("POST", ppath, thdr, body .. numbers) end
    return authz_req(authz .. numbers)
  end
  function response(s, h, b)
    steps = steps + 1
    local loc = header(h, "Location")
    if loc then
      local code = string.match(loc, "[?&]code=([^&#]+)")
      if code then push(token_req(urldec(code))) else fail(s, loc) end
    elseif s == 201 and ppath ~= "" then
      local reference = string.match(b, '"request_uri"%s*:%s*"([^"]+)"')
      if reference then
        push(authz_req(string.match(authz, "^[^?]*") .. "?client_id=" .. client .. "&request_uri=" .. urlenc(reference)))
      else fail(s, b) end
    elseif s == 200 and string.find(b, '"id_token"', 1, true) and string.find(b, '"access_token"', 1, true)
      and string.find(b, '"refresh_token"', 1, true) then
      ok = ok + 1; flows = flows + 1
    else
      fail(s, b)
    end
  end
end

function done(summary, latency, requests)
  local t = threads[1]
  local function g(k) return t:get(k) or 0 end
  local e = summary.errors
  io.write(string.format(
    'BENCHJSON {"duration_us":%d,"requests":%d,"bytes":%d,"ok":%d,"bad":%d,"flows":%d,"dry":%d,' ..
    '"status_errors":%d,"socket_errors":%d,"timeouts":%d,"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.duration, summary.requests, summary.bytes, g("ok"), g("bad"), g("flows"), g("dry"),
    e.status, e.connect + e.read + e.write, e.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
  local fb = t:get("first_bad")
  if fb and fb ~= "" then io.write("FIRSTBAD " .. string.gsub(fb, "[\r\n]", " ") .. "\n") end
end
