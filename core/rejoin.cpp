#include "core/rejoin.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

bool must_wait(Status status) {
  return status == Status::overloaded || status == Status::audit_unavailable || status == Status::session_limit ||
         status == Status::in_progress || status == Status::io_error;
}

std::uint32_t wait_of(const Response& response) {
  constexpr std::uint32_t least_ms = 10;
  return std::max(least_ms, retry_after_ms_of(response));
}

}  // namespace

void Rejoin::connected(const SessionInstance& random) {
  fresh_ = random;
  step_ = Step::apart;
  under_way_.reset();
  question_.reset();
  not_before_ = Time{};
  refusals_ = 0;
}

void Rejoin::greeted(const StoreId& store, std::uint64_t epoch) {
  epoch_ = epoch;
  ledger_.greeted(store, epoch);
}

void Rejoin::disconnected() {
  step_ = Step::offline;
  under_way_.reset();
  not_before_ = never;
}

void Rejoin::lost_session() {
  STATEFS_MARK("rejoin.lost_in_the_middle");
  step_ = Step::apart;
}

Rejoin::Progress Rejoin::impossible() const {
  STATEFS_MARK("rejoin.impossible");
  return Progress::impossible;
}

std::vector<Fate> Rejoin::abandon() {
  STATEFS_MARK("rejoin.rolled_back");
  forget();
  return ledger_.abandon();
}

void Rejoin::forget() {
  session_ = 0;
  opening_ = false;
  step_ = Step::apart;
}

std::optional<RequestBody> Rejoin::next(Time now) {
  if (under_way_ || now < not_before_) return std::nullopt;
  auto request = make_request();
  if (request) under_way_ = op_of(*request);
  return request;
}

std::optional<RequestBody> Rejoin::make_request() {
  switch (step_) {
    case Step::offline:
    case Step::joined: return std::nullopt;
    case Step::apart:
      if (session_ != 0) return ResumeRequest{instance_, ++generation_};
      if (opening_) {
        STATEFS_MARK("rejoin.open_again");
      } else {
        // Used once: a further session on this connection is named after it.
        instance_ = fresh_;
        const Digest after = Sha256().of(fresh_);
        std::copy_n(after.begin(), fresh_.size(), fresh_.begin());
        generation_ = 0;
        opening_ = true;
      }
      return OpenRequest{instance_, ++generation_};
    case Step::closing: return CloseRequest{session_, generation_};
    case Step::asking: {
      question_ = ledger_.question();
      if (question_) return OutcomeRequest{instance_, question_->sequence, question_->slot};
      step_ = Step::covering;
      return make_request();
    }
    case Step::covering:
      if (ledger_.wants_head()) return SyncRequest{epoch_};
      forget();
      return make_request();
  }
  STATEFS_CHECK(false);
}

Rejoin::Progress Rejoin::answered(const Response& response, Time now, std::vector<Fate>& fates) {
  if (!under_way_ || response.op != static_cast<std::uint8_t>(*under_way_)) return impossible();
  under_way_.reset();
  // Whatever is not a yes is asked again no faster than this.
  refusals_ = response.status == Status::ok ? 0 : refusals_ + 1;
  if (refusals_ > 1) not_before_ = now + milliseconds(10 * std::min<std::int64_t>(refusals_, 100));
  if (must_wait(response.status)) {
    STATEFS_MARK("rejoin.waits");
    not_before_ = now + milliseconds(wait_of(response));
    return Progress::ok;
  }
  if (const auto* said = std::get_if<OutcomeResponse>(&response.body)) {
    const auto question = std::exchange(question_, std::nullopt);
    if (response.status != Status::ok || !question) return impossible();
    if (const auto fate = ledger_.learn(*question, *said)) fates.push_back(*fate);
    return Progress::ok;
  }
  if (step_ == Step::covering) return covered(response);
  const auto* const answer = std::get_if<SessionResponse>(&response.body);
  if (answer == nullptr) return impossible();
  return step_ == Step::closing ? closed(response.status, *answer, fates) : registered(response.status, *answer, fates);
}

Rejoin::Progress Rejoin::registered(Status status, const SessionResponse& answer, std::vector<Fate>& fates) {
  if (status == Status::session_unknown) {
    // An instance whose OPEN was never answered has no calls; one that was used is asked about.
    if (session_ == 0) {
      STATEFS_MARK("rejoin.instance_unknown");
      forget();
    } else {
      STATEFS_MARK("rejoin.asks_outcome");
      step_ = Step::asking;
    }
    return Progress::ok;
  }
  if (status == Status::fenced) {
    constexpr std::uint32_t last_generation = ~std::uint32_t{0};
    if (answer.generation < generation_ || answer.generation == last_generation) return impossible();
    STATEFS_MARK("rejoin.fenced");
    generation_ = answer.generation;
    return Progress::ok;
  }
  if (status != Status::ok || answer.session == 0 || answer.slots.empty()) return impossible();
  session_ = answer.session;
  if (std::exchange(opening_, false)) ledger_.renew(answer.slots.size());
  if (!ledger_.possible(answer.slots)) return impossible();
  if (ledger_.behind(answer.slots)) {
    STATEFS_MARK("rejoin.behind");
    step_ = Step::closing;
    return Progress::ok;
  }
  STATEFS_MARK("rejoin.joined");
  for (const Fate& fate : ledger_.settle(answer.slots)) fates.push_back(fate);
  step_ = Step::joined;
  return Progress::ok;
}

Rejoin::Progress Rejoin::closed(Status status, const SessionResponse& answer, std::vector<Fate>& fates) {
  if (status == Status::session_unknown) {
    STATEFS_MARK("rejoin.close_unknown");
    step_ = Step::asking;
    return Progress::ok;
  }
  if (status == Status::fenced) {
    STATEFS_MARK("rejoin.close_fenced");
    step_ = Step::apart;
    return Progress::ok;
  }
  if (status != Status::ok || !ledger_.possible(answer.slots)) return impossible();
  STATEFS_MARK("rejoin.closed");
  for (const Fate& fate : ledger_.settle(answer.slots)) fates.push_back(fate);
  step_ = Step::covering;
  return Progress::ok;
}

// All that the ledger holds was told to be durable on this connection, so that the head of a SYNC is behind it.
Rejoin::Progress Rejoin::covered(const Response& response) {
  const auto* const answer = std::get_if<SyncResponse>(&response.body);
  if (answer == nullptr || response.status != Status::ok) return impossible();
  STATEFS_MARK("rejoin.covered");
  ledger_.durable(answer->head.index);
  return ledger_.wants_head() ? impossible() : Progress::ok;
}

}  // namespace statefs
