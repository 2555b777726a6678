-- Sekisho's gate at submission. Written by `sekisho agent slurm install`, taken back by `... remove`.
--
-- A job that asks for no accelerator passes untouched. One that does must name a run (--comment=sekisho:RUN) to which
-- the gate's picture is open: the agent writes the picture, this script only reads it. What cannot be read, or is too
-- old, is a shut gate, except in the mode `advise`, which lets everything pass and logs what it would have refused.
-- Runs under the Lua that slurmctld is built with, 5.1 or newer.

local GATE = "@GATE@"
local LANGUAGE = "@LANGUAGE@"
local SITE = "@SITE@" -- the script that stood here before; empty where there was none

local MESSAGES = {
  en = {
    remedy = "remedy",
    ["gate-unreadable"] = { "the gate's picture cannot be read", "tell the operator: is the sekisho agent running?" },
    ["gate-stale"] = { "the gate's picture is too old", "tell the operator: is the sekisho agent running?" },
    ["no-run-named"] = { "the job asks for accelerators and names no run", "submit with --comment=sekisho:RUN" },
    ["no-licence"] = { "the run has no licence here", "apply for a licence, or correct the name of the run" },
    ["run-is-fixed"] = { "the run of a job cannot be changed", "cancel the job and submit it anew" },
  },
  ja = {
    remedy = "対処",
    ["gate-unreadable"] = { "ゲートの状態を読み取れません", "運用担当者に連絡してください(sekishoエージェントは動作中ですか)" },
    ["gate-stale"] = { "ゲートの状態が古すぎます", "運用担当者に連絡してください(sekishoエージェントは動作中ですか)" },
    ["no-run-named"] = { "アクセラレータを要求するジョブに実行名がありません", "--comment=sekisho:実行名 を付けて投入してください" },
    ["no-licence"] = { "この実行にはここで有効なライセンスがありません", "ライセンスを申請するか、実行名を確認してください" },
    ["run-is-fixed"] = { "ジョブの実行名は変更できません", "ジョブを取り消して投入し直してください" },
    ["no-lease"] = { "この実行のリースがありません", "エージェントがリースを得るまで待ってください" },
    ["lease-ended"] = { "この実行のリースは終了しました", "次のリースを待ってください" },
    ["budget-spent"] = { "リースの残量が足りません", "次のリースを待つか、ライセンスの変更を申請してください" },
    ["order-in-force"] = { "停止命令が有効です", "命令が解除されるまで待ってください" },
    ["licence-withdrawn"] = { "ライセンスが取り消しまたは停止されています", "許可機関に問い合わせてください" },
    ["not-acknowledged"] = { "発行者の確認がありません", "接続が回復してから再投入してください" },
    ["work-stopped"] = { "この実行は停止中です", "再開されるまで待ってください" },
  },
}

local function split(line)
  local fields = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do
    fields[#fields + 1] = field
  end
  return fields
end

-- The picture, or nil where the file is missing, not whole, or of another version.
local function read_picture()
  local file = io.open(GATE, "r")
  if not file then return nil end
  local text = file:read(1048576) or ""
  file:close()
  local picture, whole = { runs = {} }, false
  for line in text:gmatch("([^\n]*)\n") do
    local f = split(line)
    if f[1] == "run" then
      picture.runs[f[2]] = { is_open = f[3] == "open", rule = f[5], reason = f[6], remedy = f[7] }
    elseif f[1] == "end" then
      whole = true
    else
      picture[f[1]] = f[2]
    end
  end
  picture.written, picture["until"] = tonumber(picture.written), tonumber(picture["until"])
  local is_known = whole and picture["sekisho-gate"] == "1" and picture.mode
  return is_known and picture.written and picture["until"] and picture or nil
end

-- Nil where a job of this run may come in, else rule, reason and remedy.
local function judge(run)
  local picture = read_picture()
  if not picture then return "gate-unreadable" end
  local rule, row = nil, run and picture.runs[run]
  local now = os.time()
  if not run then
    rule = "no-run-named"
  elseif now >= picture["until"] or now < picture.written - 60 then -- past its end, or the clock was set back
    rule = "gate-stale"
  elseif not row then
    rule = "no-licence"
  elseif not row.is_open then
    rule = row.rule
  end
  if rule and picture.mode == "advise" then
    slurm.log_info("sekisho: advises only, would refuse run %s: %s", tostring(run), rule)
    return nil
  end
  return rule, row and row.reason, row and row.remedy
end

local function refuse(rule, reason, remedy)
  local words = MESSAGES[LANGUAGE][rule]
  reason, remedy = words and words[1] or reason or "", words and words[2] or remedy or ""
  slurm.log_user("%s", "sekisho [" .. rule .. "] " .. reason .. "\n" .. MESSAGES[LANGUAGE].remedy .. ": " .. remedy)
  slurm.log_info("sekisho: refused: %s", rule)
  return slurm.ERROR
end

local function names_accelerators(request)
  for _, field in ipairs({ "tres_per_job", "tres_per_node", "tres_per_socket", "tres_per_task", "gres" }) do
    local asked = request[field]
    if type(asked) == "string" then
      for _, kind in ipairs({ "gpu", "mps", "shard" }) do
        if asked:find("%f[%a]" .. kind .. "%f[%A]") then return true end
      end
    end
  end
  return false
end

local function run_of(comment)
  return comment and comment:match("^sekisho:([%w][%w._:/@+-]*)$")
end

local site = { slurm_job_submit = nil, slurm_job_modify = nil }
if SITE ~= "" then
  setmetatable(site, { __index = _G }) -- its globals are its own, so that it cannot replace ours
  local chunk, why
  if setfenv then
    chunk, why = loadfile(SITE)
    if chunk then setfenv(chunk, site) end
  else
    chunk, why = loadfile(SITE, "t", site)
  end
  if chunk then chunk() else slurm.log_error("sekisho: %s cannot be loaded: %s", SITE, tostring(why)) end
end

function slurm_job_submit(job_desc, part_list, submit_uid)
  if names_accelerators(job_desc) then
    local rule, reason, remedy = judge(run_of(job_desc.comment))
    if rule then return refuse(rule, reason, remedy) end
  end
  local theirs = rawget(site, "slurm_job_submit")
  if not theirs then return slurm.SUCCESS end
  local before = job_desc.comment
  local answer = theirs(job_desc, part_list, submit_uid)
  -- A site's script may add accelerators or change the comment: what it made of the job is judged again.
  if answer == slurm.SUCCESS and names_accelerators(job_desc) then
    local rule, reason, remedy = judge(run_of(job_desc.comment or before))
    if rule then return refuse(rule, reason, remedy) end
  end
  return answer
end

function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)
  local was, wanted = run_of(job_rec.comment), job_desc.comment
  if wanted and was and run_of(wanted) ~= was then return refuse("run-is-fixed") end
  local adds = names_accelerators(job_desc)
  if adds or (wanted and run_of(wanted) ~= was and names_accelerators(job_rec)) then
    local rule, reason, remedy = judge(run_of(wanted or job_rec.comment))
    if rule then return refuse(rule, reason, remedy) end
  end
  local theirs = rawget(site, "slurm_job_modify")
  return theirs and theirs(job_desc, job_rec, part_list, modify_uid) or slurm.SUCCESS
end

slurm.log_info("sekisho: the gate is read from %s", GATE)
return slurm.SUCCESS
