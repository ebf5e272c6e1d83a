#include "sim/workload.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/disk.h"

namespace statefs::sim {
namespace {

constexpr std::uint32_t call_planned = 200;
constexpr std::uint32_t transfer_due = 201;
constexpr std::size_t revisions_kept = 8;
constexpr std::uint32_t first_calm_operation = 1'000'000;
constexpr std::uint32_t calm_retries_max = 16;  // of four calls: by a clock a tenth fast each wait leaves a tenth of itself, down to 1 ms
constexpr std::uint32_t calm_retry_step = 1'000'000;  // another value, the same op
const std::string root = "/state/shared/";

// What lies outside the grant, or is no key; and what is one though it does not look like it.
constexpr std::array<std::string_view, 36> outside_keys{
    "/state/other/k0", "/state/shared", "/state/sharedx/k0", "/state/keystore/k0", "/state/shared/../boot/k0", "/state/shared//k0", "",
    "/state/shared/k0\n", "/state/boot/k0", "/state/other/k0", "state/shared/k0", "/state/shared/k0/", "/state/shared/..", "/state/shared/.",
    "/state/shared/./k0", "/state/shared/k\\0", "/state/shared/k\x7f", "/state/shared/\xc2\x85", "/state/shared/\xe2\x80\xa8",
    "/state/shared/\xe2\x80\xae", "/state/shared/\xe2\x81\xa6", "/state/shared/\xd8\x9c", "/state/shared/\xe2\x80\x8e",
    "/state/shared/\xef\xbb\xbf", "/state/shared/\xc0\xaf", "/state/shared/\xe0\x80\xaf", "/state/shared/\xed\xa0\x80",
    "/state/shared/\xf4\x90\x80\x80", "/state/shared/\xe2\x80", "/state/shared/\x80", "/state/shared/...", "/state/shared/.k",
    "/state/shared/k.", "/state/shared/\xc3\xa9", "/state/shared/\xe2\x80\xa7", "/state/shared/\xf0\x9f\x92\xbe"};
constexpr std::array<std::string_view, 8> outside_prefixes{
    "/", "/state/", "/state/shared", "/state/keystore/", "/state/boot/", "/state/shared/../", "/state/shared/\x7f/", "/state/shared/own/"};

// Around what is measured in bytes: the longest key, one more, and a bad segment that a word of 64 bytes ends in.
std::string measured_key(std::uint64_t which) {
  constexpr std::size_t word = 64;
  switch (which) {
    case 0: return root + std::string(limits::key_size_max - root.size(), 'k');
    case 1: return root + std::string(limits::key_size_max + 1 - root.size(), 'k');
    case 2: return root + std::string(limits::key_size_max, 'k');
    case 3: return root + std::string(word - 2 - root.size(), 'k') + "/../k0";
    case 4: return root + std::string(word - 1 - root.size(), 'k') + "/../k0";
    default: return root + std::string(word - root.size(), 'k') + "//k0";
  }
}
constexpr std::uint64_t measured_keys = 6;
constexpr std::uint64_t often = 8;  // of the first

}  // namespace

std::string describe(const WorkloadOptions& o) {
  const auto text = [](Ratio ratio) { return std::to_string(ratio.part) + "/" + std::to_string(ratio.whole); };
  return "operations=" + std::to_string(o.operation_count) + " in_flight=" + std::to_string(o.in_flight_max) +
         " keys=" + std::to_string(o.key_count) + " value_size_max=" + std::to_string(o.value_size_max) +
         " pause_max_ns=" + std::to_string(o.pause_max.ns) + " timeout_ns=" + std::to_string(o.timeout.ns) +
         " put,get,del,list,sync=" + std::to_string(o.put) + "," + std::to_string(o.get) + "," + std::to_string(o.del) + "," +
         std::to_string(o.list) + "," + std::to_string(o.sync) + " upload,download,stray=" + std::to_string(o.upload) + "," +
         std::to_string(o.download) + "," + std::to_string(o.stray) + " large_size_max=" + std::to_string(o.large_size_max) +
         " outside=" + text(o.outside) +
         " conditional=" + text(o.conditional) + " ranged=" + text(o.ranged) + " paged=" + text(o.paged) + " breaks=" + text(o.breaks) +
         " filling=" + text(o.filling);
}

// A stage of few numbers and sizes, so that chunks of it meet; its bytes are always the same.
struct StrayStage {
  std::uint64_t number = 0;
  std::uint64_t total_size = 0;
  [[nodiscard]] Bytes value() const {
    Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(total_size, 1'000)));
    for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>('a' + (at * 7 + total_size) % 26);
    return bytes;
  }
};

struct Workload::Draws {
  const WorkloadOptions& options;
  RandomStream random;
  std::string unique;  // node and number: a value that begins so is unlike every other

  std::string key() {
    if (random.chance(options.outside)) {
      if (random.chance({1, 2})) return std::string(outside_keys[random.below(often)]);
      const std::uint64_t which = random.below(outside_keys.size() + measured_keys);
      return which >= outside_keys.size() ? measured_key(which - outside_keys.size()) : std::string(outside_keys[which]);
    }
    const std::uint64_t which = random.below(options.key_count);
    if (which % 6 == 4) return root + "dir0";  // the first name there can be behind all of `dir/`
    return root + (which % 6 == 5 ? "dir/sub/k" : which % 3 == 2 ? "dir/k" : "k") + std::to_string(which);
  }

  std::string prefix() {
    if (random.chance(options.outside)) return std::string(outside_prefixes[random.below(outside_prefixes.size())]);
    return random.chance({1, 3}) ? root + "dir/" : root;
  }

  Bytes value() {
    std::string text = unique;
    text.resize(text.size() + random.skewed(options.value_size_max), 'v');
    if (options.value_size_max > limits::value_size_max) text.resize(at_limit(text.size(), limits::value_size_max), 'v');
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }

  // That size, now and then the limit or one more.
  std::size_t at_limit(std::size_t size, std::size_t limit) const {
    RandomStream limits = random.split("limit");
    return limits.chance({1, 6}) ? limit + limits.below(2) : size;
  }

  // That size, or some blocks more.
  std::uint64_t filling_size(std::uint64_t size_to_edge) {
    return size_to_edge + disk_block_size * (size_to_edge < unique.size() ? 1 : random.split("blocks").below(4));
  }

  // Most values are shorter than the longest, so most places are near the begin.
  GetRequest get(std::optional<std::uint64_t> revision, std::string_view key) {
    GetRequest request{revision, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)};
    if (!random.chance(options.ranged)) return request;
    request.offset = random.skewed(options.value_size_max + 20);
    request.length = static_cast<std::uint32_t>(random.skewed(options.value_size_max + 20));
    return request;
  }

  // However large the value, of whoever wrote it, some hundred at most.
  Pieces pieces() {
    const std::uint64_t value_size_max = std::max<std::uint64_t>(options.large_size_max, options.value_size_max);
    return {1 + std::max<std::uint64_t>(random.skewed(8'000), value_size_max / 200), 1 + random.below(4)};
  }

  StrayStage stray_stage() {
    constexpr std::array<std::uint64_t, 4> sizes{1, 20, 20, 300};
    StrayStage stage{random.below(4), sizes[random.below(sizes.size())]};
    if (random.chance({1, 30})) stage.total_size = limits::total_value_size_ceiling + random.skewed(std::uint64_t{1} << 40);
    return stage;
  }

  // A piece of the value, most often from its begin; now and then other bytes.
  std::uint64_t stray_offset = 0;
  Bytes stray_chunk(const StrayStage& stage, const Bytes& value) {
    stray_offset = random.chance({2, 3}) ? 0 : random.below(stage.total_size + 1);
    if (stray_offset > value.size()) return {};
    const std::size_t rest = value.size() - static_cast<std::size_t>(stray_offset);
    const std::size_t size = random.chance({1, 2}) ? rest : random.below(rest + 1);
    Bytes chunk(value.begin() + static_cast<std::ptrdiff_t>(stray_offset), value.begin() + static_cast<std::ptrdiff_t>(stray_offset + size));
    if (!chunk.empty() && random.chance({1, 10})) chunk[random.below(chunk.size())] = 'X';
    return chunk;
  }

  // Where a page before may have ended; now and then under another prefix, or no key.
  std::string cursor() { return random.chance(options.paged) ? key() : std::string{}; }

  std::optional<std::uint64_t> condition(const std::vector<std::uint64_t>& revisions) {
    if (!random.chance(options.conditional)) return std::nullopt;
    const std::uint64_t which = random.below(revisions.size() + 1);
    return which == revisions.size() ? 0 : revisions[which];
  }
};

Workload::Workload(Node& node, const WorkloadOptions& options, std::vector<std::uint32_t> operations, std::vector<PlannedCall> calls)
    : node_(node),
      options_(options),
      random_(node.ground().random.stream("workload/" + std::to_string(node.id()))),
      operations_(std::move(operations)),
      calls_(std::move(calls)) {}

Workload::Workload(Node& node, const WorkloadOptions& options) : Workload(node, options, std::vector<std::uint32_t>(options.operation_count)) {
  std::iota(operations_.begin(), operations_.end(), 0u);
}

Workload::~Workload() {
  node_.ground().schedule.cancel(planned_);
  node_.ground().schedule.cancel(waiting_);
}

std::uint64_t Workload::epoch() const {
  const auto& hello = client_->client().server_hello();
  return hello ? hello->epoch : 1;
}

RandomStream Workload::draws_of(std::uint32_t operation) const { return random_.split(std::to_string(operation)); }

void Workload::start(ClientProgram& client) {
  client_ = &client;
  plan_next();
}

void Workload::continue_calmly(std::uint32_t operation_count, Duration timeout) {
  options_.timeout = timeout;
  options_.in_flight_max = 1;
  options_.breaks = {0, 1};
  for (std::uint32_t i = 0; i < operation_count; ++i) operations_.push_back(first_calm_operation + i);
  plan_next();
}

void Workload::client_stopped() {
  completed_ += in_flight_;
  in_flight_ = 0;
  node_.ground().schedule.cancel(std::exchange(planned_, 0));
  node_.ground().schedule.cancel(std::exchange(waiting_, 0));
  transfers_.clear();
}

void Workload::client_started() { plan_next(); }

// One call is planned at a time; those in flight and the planned one stay under the bound.
void Workload::plan_next() {
  if (planned_ != 0 || next_ == operations_.size() || in_flight_ >= options_.in_flight_max || !client_->up()) return;
  const std::uint32_t operation = operations_[next_++];
  Schedule& schedule = node_.ground().schedule;
  planned_ = schedule.at(schedule.now() + std::exchange(calm_wait_, {}) + pause_before(operation), {this, node_.id(), call_planned, operation});
}

Duration Workload::pause_before(std::uint32_t operation) const {
  if (operation < calls_.size()) return calls_[operation].after;
  RandomStream random = draws_of(operation).split("pause");
  return nanoseconds(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(options_.pause_max.ns) + 1)));
}

void Workload::submit(const RequestBody& body) {
  ++in_flight_;
  STATEFS_CHECK(client_->submit(body, options_.timeout).ok());
}

void Workload::transfer() {
  transfers_.step(*client_, options_.timeout);
  const std::uint32_t finished = transfers_.take_finished();
  completed_ += finished;
  in_flight_ -= finished;
  const Time now = client_->node().now().monotonic;
  const Time due = transfers_.deadline();
  if (due == never || waiting_ != 0) return;
  Schedule& schedule = node_.ground().schedule;
  const Duration wait{std::max<std::int64_t>((due - now).ns, 1)};
  waiting_ = schedule.at(schedule.now() + wait, {this, node_.id(), transfer_due, 0});
}

void Workload::fire(std::uint32_t kind, std::uint64_t operation) {
  if (kind == transfer_due) {
    waiting_ = 0;
    transfer();
    return plan_next();
  }
  planned_ = 0;
  call(static_cast<std::uint32_t>(operation));
  plan_next();
}

void Workload::completed(ClientProgram& client, Completion completion) {
  if (transfers_.take(completion, client.node().now())) {
    transfer();
    return plan_next();
  }
  ++completed_;
  --in_flight_;
  const Status status = completion.response.status;
  const bool again = status == Status::audit_unavailable || status == Status::overloaded;
  if (calm_operation_ != 0 && again && calm_retries_ < calm_retries_max) {
    ++calm_retries_;
    calm_wait_ = milliseconds(retry_after_ms_of(completion.response));
    operations_.push_back(calm_operation_ + calm_retry_step);
  }
  std::uint64_t revision = 0;
  if (const auto* mutation = std::get_if<MutationResponse>(&completion.response.body)) revision = mutation->revision;
  if (const auto* got = std::get_if<GetResponse>(&completion.response.body)) revision = got->revision;
  if (revision != 0) {
    if (revisions_.size() == revisions_kept) revisions_.erase(revisions_.begin());
    revisions_.push_back(revision);
  }
  plan_next();
}

void Workload::submit_calm(std::uint32_t operation) {
  calm_operation_ = operation;
  const std::string key = root + "k0";
  const std::string value = std::to_string(node_.id()) + "." + std::to_string(operation) + ".";
  RequestBody body;
  switch (operation % 4) {
    case 0: body = PutRequest{{}, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}}; break;
    case 1: body = GetRequest{{}, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)}; break;
    case 2: body = SyncRequest{epoch()}; break;
    default: body = DeleteRequest{{}, {}, as_bytes(key)}; break;
  }
  submit(body);
}

void Workload::submit_planned(std::uint32_t operation) {
  const PlannedCall& planned = calls_[operation];
  const std::string key = root + planned.key;
  const std::string value = std::to_string(node_.id()) + "." + std::to_string(operation) + ".";
  std::optional<std::uint64_t> condition;
  if (planned.condition != PlannedCall::If::always) condition = 0;
  if (planned.condition == PlannedCall::If::last && !revisions_.empty()) condition = revisions_.back();
  RequestBody body;
  switch (planned.op) {
    case Op::put: body = PutRequest{{}, condition, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}}; break;
    case Op::get: body = GetRequest{condition, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)}; break;
    case Op::del: body = DeleteRequest{{}, condition, as_bytes(key)}; break;
    case Op::list: body = ListRequest{0, as_bytes(key), {}}; break;
    case Op::sync: body = SyncRequest{epoch()}; break;
    case Op::hello:
    case Op::open:
    case Op::resume:
    case Op::close:
    case Op::outcome:
    case Op::stage: STATEFS_CHECK(false);
  }
  submit(body);
}

void Workload::upload(Draws& draws, const std::string& key, const std::optional<std::uint64_t>& condition) {
  std::string text = draws.unique;
  text.resize(text.size() + draws.random.skewed(options_.large_size_max), 'u');
  const auto& hello = client_->client().server_hello();
  if (hello && hello->total_value_size_max < options_.large_size_max) text.resize(draws.at_limit(text.size(), hello->total_value_size_max), 'u');
  // So that no two pieces are alike.
  for (std::size_t at = draws.unique.size(); at < text.size(); ++at) text[at] = static_cast<char>('A' + (at * at / 7 + at) % 50);
  const ByteView bytes = as_bytes(text);
  transfers_.put({key, bytes.size(), Sha256().of(bytes), condition}, {bytes.begin(), bytes.end()}, draws.pieces());
  ++in_flight_;
  transfer();
}

void Workload::stray(Draws& draws, const std::string& key) {
  const StrayStage stage = draws.stray_stage();
  const Bytes value = stage.value();
  const Bytes chunk = draws.stray_chunk(stage, value);
  if (!draws.random.chance({1, 4})) {
    return submit(StageRequest{stage.number, stage.total_size, draws.stray_offset, as_bytes(key), static_cast<std::uint32_t>(chunk.size()), chunk});
  }
  PutRequest put;
  put.key = as_bytes(key);
  put.stage = StageCommit{stage.number, stage.total_size, Sha256().of(value)};
  if (draws.random.chance({1, 4})) put.stage->digest[0] ^= 1;
  submit(put);
}

void Workload::call(std::uint32_t operation) {
  if (operation >= first_calm_operation) return submit_calm(operation);
  if (operation < calls_.size()) return submit_planned(operation);
  Draws draws{options_, draws_of(operation), std::to_string(node_.id()) + "." + std::to_string(operation) + "."};
  if (draws.random.chance(options_.breaks)) client_->break_stream();
  const std::uint32_t staged = options_.upload + options_.download + options_.stray;
  const std::uint32_t total = options_.put + options_.get + options_.del + options_.list + options_.sync + staged;
  std::uint64_t which = total == 0 ? 0 : draws.random.below(total);
  const auto is = [&which](std::uint32_t weight) {
    if (which < weight) return true;
    which -= weight;
    return false;
  };
  const std::string key = draws.key();
  const std::string prefix = draws.prefix();
  Bytes value = draws.value();
  if (size_to_edge_ && draws.random.split("filling").chance(options_.filling)) value.resize(draws.filling_size(size_to_edge_(key)), 'v');
  const std::optional<std::uint64_t> condition = draws.condition(revisions_);
  std::string cursor;
  RequestBody body;
  if (is(options_.put)) {
    body = PutRequest{{}, condition, as_bytes(key), static_cast<std::uint32_t>(value.size()), value, {}};
  } else if (is(options_.get)) {
    const auto revision = condition == 0u ? std::nullopt : condition;
    body = draws.get(revision, key);
  } else if (is(options_.del)) {
    body = DeleteRequest{{}, condition, as_bytes(key)};
  } else if (is(options_.list)) {
    const auto limit = static_cast<std::uint16_t>(draws.random.below(4));
    cursor = draws.cursor();
    body = ListRequest{limit, as_bytes(prefix), as_bytes(cursor)};
  } else if (is(options_.upload)) {
    return upload(draws, key, condition);
  } else if (is(options_.download)) {
    transfers_.get(key, draws.pieces());
    ++in_flight_;
    return transfer();
  } else if (is(options_.stray)) {
    return stray(draws, key);
  } else {
    body = SyncRequest{epoch()};
  }
  submit(body);
}

}  // namespace statefs::sim
