/* Leases: issuer, agents, watchdogs, clocks, network, crashes, reboots, forks. Promela, for Spin 6.5.
 *
 * What is checked, what is left out and how a counterexample is read: docs/verification.md.
 * Above every proctype and inline stands the Python name that it stands for ("= module:name"), or "= environment" for
 * what no code of ours does. tests/simulation holds that these names exist, and walks random traces of this model
 * through those very Python functions, comparing the state after each step.
 *
 * One tick is one quantum. FLOP are counted in ticks of work at peak. Time is the true one, with which a host's
 * elapsed-time source runs. A message once sent may arrive at any time, any number of times, or never: loss, delay,
 * reordering, replay and partition are all in "a process need not act, and may act on anything that was ever sent".
 * In the same way an agent that is down is one that does not act, so that a crash is seen only when it starts again.
 */

#ifndef TICKS
#define TICKS 6
#endif
#ifndef LEASES
#define LEASES 3
#endif
#ifndef TIER0
#define TIER0 0         /* 0: online-only (C0, C1); 2: C2 */
#endif
#ifndef TIER1
#define TIER1 0
#endif
#define HOSTS 2
#define INTERVAL 2      /* length of a lease */
#define GRACE 1
#define QUANTUM 1
#define RESERVE (QUANTUM + GRACE)       /* what a quantum reserves */
#define ALLOWANCE (INTERVAL + GRACE)    /* what a lease allows */
#define BUDGET ((LEASES - 1) * ALLOWANCE + 1)    /* all leases but one, and a bit: the last one fits only where something came back */
#define CLOCK_ERROR 2   /* how far the issuer's clock may be ahead */

/* The defects that a mutated model has, one each; the honest model has none. */
#ifndef MUTANT
#define MUTANT 0
#endif
#define NO_WATCHDOG 1
#define PERMIT_BY_EARLIEST 2            /* the same as: system clock set back, lease counted from its arrival */
#define CREDIT_BEFORE_RECEIPT 3
#define COUNTER_BEFORE_STATE 4
#define LEASE_WITHOUT_NONCE 5
#define LEASE_REPLAYED 6
#define GRANT_BEYOND_BOOKS 7
#define FORFEIT_BEFORE_CLOCK_ERROR 8
#define NO_ACKNOWLEDGEMENT 9            /* with CLONE */
#define CLOCK_FORGOTTEN_AT_RESTART 10
#define SWITCH_UNCOVERED 11
#define CLOSE_WHILE_RUNNING 12
#define REBOOT_FORGOTTEN_AT_RESTART 13

/* An honest host counts a lease from its request, by the elapsed-time source: no witness had signed the time in the
 * lease's proof before that. So it ends at not-after or earlier; that the agent may act less long is in the model anyway,
 * and the search takes not-after. A mutant's end may be later, and is kept. */
#if MUTANT == PERMIT_BY_EARLIEST || MUTANT == LEASE_WITHOUT_NONCE || MUTANT == CLOCK_FORGOTTEN_AT_RESTART || MUTANT == REBOOT_FORGOTTEN_AT_RESTART
#define OWN_END
#define ENDS(l) leases[l].ends
#else
#define ENDS(l) NOT_AFTER(l)
#endif
/* The newest time that a witness signed, as if it had been signed just now. */
#define LATE(l) (NOT_AFTER(l) + (now - leases[l].granted))

/* CLONE: machine 1 is a copy of host 0, memory, disk and counter, made at any time. RESTORE: the disk of host 0 is
 * copied once and put back once, at any times, its counter is not. */
#ifdef CLONE
#define FORKS 1
#define ID(m) 0
#define TIER(m) TIER0
/* What one fork may take beyond the budget: a reservation where each quantum needs an acknowledgement. */
#define BEYOND (TIER0 == 0 -> RESERVE : ALLOWANCE)
#else
#define ID(m) m
#define TIER(m) (m == 0 -> TIER0 : TIER1)
#ifdef RESTORE
#define FORKS 1
#define BEYOND ALLOWANCE
#else
#define FORKS 0
#endif
#endif

/* A clone writes receipts of its own; elsewhere a lease has one host that does. */
#ifdef CLONE
#define BRANCHES 2
#define BRANCH(m) m
#else
#define BRANCHES 1
#define BRANCH(m) 0
#endif

/* A lease at the issuer; 0: not granted. */
#define OPEN 1
#define CLOSED 2

/* A host's request for its next lease. */
#define ASKED 1
#define FORSAKEN 2      /* from before a reboot or a rollback */

typedef Lease {
    byte host;          /* 1 + the host it was granted to */
    byte state;
    byte granted;       /* when, which is also the newest time that its proof's witnesses signed */
#ifdef OWN_END
    byte ends;          /* at its host: when permits under it end */
#endif
    byte allowance;
    bit final[BRANCHES];        /* its final receipt is written, by which so much was consumed: */
    byte consumed[BRANCHES];
#if FORKS > 0
    byte reserved;      /* the truth, over all branches: what is reserved of it, less what was credited */
    byte answers;       /* the machines whose waiting request it answers, as bits */
#endif
#if defined(TRACE) || MUTANT == CREDIT_BEFORE_RECEIPT
    byte told;          /* what receipts told the issuer is reserved of it */
#endif
}

typedef Machine {
    bit there;          /* a clone may not be there yet */
    bit running;        /* licensed work runs */
    byte until;         /* the watchdog's permit */
    byte under;         /* the truth: the lease under which the work runs */
    bit uncovered;      /* the truth: the work runs, and its use up to the permit's end is reserved nowhere */
    bit unacknowledged; /* a quantum's receipt waits for its acknowledgement */
    /* the disk */
    byte in_hand;       /* the lease that quanta are reserved from */
    byte waiting;       /* the lease that was asked for ahead */
    byte spent;
    byte reserved;
    byte number;        /* of the last lease taken */
    byte request;
#ifdef CLONE
    bit own;            /* it wrote a receipt of its own since the clone was made */
#endif
}

byte now;
Lease leases[LEASES + 1];       /* 0 is none */
Machine machines[HOSTS];
byte granted;                   /* leases so far */
byte available = BUDGET;
byte leased;
byte consumed;
byte forfeited;
#ifdef CLONE
byte heir;                      /* 1 + the machine whose receipts the issuer holds since the clone was made */
bit forked;
bit shared;                     /* both wait for the answer to one request */
#endif
#ifdef RESTORE
bit kept; bit restored; bit waits; byte kept_answer; bit stepped;    /* the counter, since the disk was copied */
byte kept_in_hand; byte kept_waiting; byte kept_spent; byte kept_number; byte kept_request;
#endif

#define HELD machines[m]
#define LEFT(m) (HELD.until > now -> HELD.until - now : 0)
#define USED(m) (HELD.reserved > HELD.spent -> RESERVE - LEFT(m) : 0)
#define IS_ONLINE(m) (TIER(m) == 0)
#define NOT_AFTER(l) (leases[l].granted + INTERVAL)
#define SAME(k, l) (k < l && leases[k].host == leases[l].host -> 1 : 0)
#define IS_LET_GO(m, l) (leases[l].host != m + 1 || (NUMBER_OF(l) <= machines[m].number && machines[m].in_hand != l && machines[m].waiting != l && machines[m].under != l))
/* A host's first lease has number 1. */
#define NUMBER_OF(l) (1 + SAME(1, l) + SAME(2, l))
#define COUNT(k, h) (leases[k].host == h + 1 -> 1 : 0)
#define NUMBERS(h) (COUNT(1, h) + COUNT(2, h) + (LEASES > 2 -> COUNT(LEASES, h) : 0))

#ifdef TRACE
byte quantum[HOSTS]; byte counter[HOSTS];
byte z; byte pace; bit rebooted[HOSTS];
/* A random walk shall meet more than ticks and reboots. */
#define IS_PACED (pace >= 4 || timeout)
#define MAY_REBOOT(m) (!rebooted[m] && granted >= 2 && pace >= 3)
#define MAY_CLOSE (pace >= 3)
#define TRACED(x) x
#define TOLD(what, m, l) \
    printf("STEP %e %d %d now %d\n", what, m, l, now); \
    pace = (what == Tick -> 0 : (pace < 9 -> pace + 1 : pace)); z = 0; \
    do \
    :: z < HOSTS -> \
        printf("HOST %d quantum %d counter %d lease %d waiting %d spent %d reserved %d number %d running %d until %d unacknowledged %d\n", \
            z, quantum[z], counter[z], machines[z].in_hand, machines[z].waiting, machines[z].spent, \
            machines[z].reserved, machines[z].number, machines[z].running, machines[z].until, machines[z].unacknowledged); \
        z++ \
    :: else -> break \
    od; \
    printf("BOOK %d %d %d %d\n", available, leased, consumed, forfeited)
#else
#define TRACED(x) skip
#define IS_PACED true
#define MAY_REBOOT(m) true
#define MAY_CLOSE true
#define TOLD(what, m, l) printf("STEP %e %d %d now %d\n", what, m, l, now)
#endif

/* What the books keep for a lease, so that nobody else gets it. */
#if MUTANT == CREDIT_BEFORE_RECEIPT
#define KEPT(l) (leases[l].final[0] -> leases[l].consumed[0] : (leases[l].state == CLOSED -> leases[l].told : leases[l].allowance))
#else
#define KEPT(l) (leases[l].final[0] -> leases[l].consumed[0] : leases[l].allowance)
#endif

mtype = { Ask, Grant, Accept, GiveBack, Begin, Switch, Stop, Close, Acknowledge, Receipts, Overdue,
          CrashReceipt, CrashState, CrashCounter, Restart, Reboot, Tick, Copy, Keep, Restore, RolledBack };

/* --- the host's state: licensing/spending.py ---------------------------------------------------------------------- */

/* = sekisho.licensing.spending:HostState.take */
inline take(m, l) {
    if
    :: HELD.in_hand == 0 -> HELD.in_hand = l
    :: else -> HELD.waiting = l
    fi;
    HELD.number++
}

/* = sekisho.licensing.spending:HostState.switch */
inline switch(m) {
    HELD.in_hand = HELD.waiting;
    HELD.waiting = 0;
    HELD.spent = 0;
    HELD.reserved = 0
}

/* = sekisho.licensing.spending:HostState.reserve */
inline reserve(m) {
    HELD.reserved = HELD.spent + RESERVE;
    assert(HELD.reserved <= leases[HELD.in_hand].allowance);
    /* Invariant 4. */
#if FORKS > 0
    leases[HELD.in_hand].reserved = leases[HELD.in_hand].reserved + RESERVE;
    assert(leases[1].reserved + leases[2].reserved + (LEASES > 2 -> leases[LEASES].reserved : 0) <= BUDGET + FORKS * BEYOND)
#else
    assert(HELD.reserved <= KEPT(HELD.in_hand))
#endif
}

/* = sekisho.licensing.spending:HostState.credit */
inline credit(m, used) {
#if FORKS > 0
    leases[HELD.in_hand].reserved = leases[HELD.in_hand].reserved - (RESERVE - (used));
#endif
    HELD.spent = HELD.spent + (used);
    HELD.reserved = HELD.spent
}

/* = sekisho.licensing.spending:HostState.forget_quantum */
inline forget_quantum(m) {
    HELD.spent = HELD.reserved
}

/* = sekisho.licensing.spending:HostState.without_leases */
inline without_leases(m) {
    HELD.in_hand = 0;
    HELD.waiting = 0;
    HELD.spent = 0;
    HELD.reserved = 0
}

/* --- the issuer's books: licensing/books.py ----------------------------------------------------------------------- */

/* = sekisho.licensing.books:Book.lease */
inline lease(flop) {
    leased = leased + (flop);
    assert(leased + consumed + forfeited <= BUDGET);
    available = available - (flop)
}

/* = sekisho.licensing.books:Book.close */
inline close(allowed, used, rest) {
    leased = leased - (allowed);
    consumed = consumed + (used);
#ifdef TRACE
    forfeited = forfeited + (rest);
#else
    consumed = consumed + (rest);       /* neither returns: one account is enough for the search */
#endif
    assert(leased + consumed + forfeited <= BUDGET);
    available = BUDGET - leased - consumed - forfeited
}

/* --- the agent: agent/quanta.py, agent/memory.py, agent/decide.py -------------------------------------------------- */

/* = environment: what nobody will ask for again is not kept apart, so that the search meets fewer states */
inline forget_lease(l) {
#if FORKS == 0 && MUTANT != LEASE_REPLAYED && !defined(TRACE)
    if
    :: leases[l].state == CLOSED && IS_LET_GO(0, l) && IS_LET_GO(1, l) ->
        leases[l].granted = 0;
        leases[l].allowance = 0; leases[l].final[0] = 0; leases[l].consumed[0] = 0
    :: else
    fi
#else
    skip
#endif
}

#if FORKS > 0
/* = sekisho.agent.quanta:Quanta.ask_ahead */
inline fresh(m) {
    /* No lease that was granted before answers this nonce. */
    leases[1].answers = leases[1].answers & (2 - m);
    leases[2].answers = leases[2].answers & (2 - m);
    leases[LEASES].answers = leases[LEASES].answers & (2 - m)
#ifdef CLONE
    ; shared = 0
#endif
#ifdef RESTORE
    ; waits = 0
#endif
}
#endif

/* = sekisho.licensing.spending:HostState.receipted */
inline receipted(m) {
#ifdef CLONE
    HELD.own = machines[1].there
#else
    skip
#endif
}

/* = sekisho.agent.quanta:Quanta._settled */
inline settle(m) {
    /* What the meter shows unused is credited, unless the quantum was forgotten. */
    if
    :: HELD.reserved > HELD.spent && HELD.running && HELD.until >= now -> credit(m, RESERVE - (HELD.until - now))
    :: HELD.reserved > HELD.spent && HELD.running && HELD.until < now -> HELD.spent = HELD.reserved
    :: else
    fi
}

/* = sekisho.agent.returns:Returns._final */
inline final_receipt(m, l) {
    if
    :: leases[l].state == OPEN -> leases[l].final[BRANCH(m)] = 1; leases[l].consumed[BRANCH(m)] = HELD.spent
    :: else
    fi;
    receipted(m);
    switch(m);
    forget_lease(l)
}

/* = sekisho.agent.quanta:Quanta.take */
inline give_back(m, l) {
    HELD.number++;
    if
    :: leases[l].state == OPEN -> leases[l].final[BRANCH(m)] = 1; leases[l].consumed[BRANCH(m)] = 0
    :: else
    fi;
    receipted(m);
    forget_lease(l)
}

/* = sekisho.licensing.leases:accept_lease */
#if MUTANT == LEASE_REPLAYED
#define ACCEPTS(m, l) (HELD.waiting == 0 && leases[l].host == ID(m) + 1 && l != HELD.in_hand)
#else
#if FORKS > 0
#define ACCEPTS(m, l) (HELD.request != 0 && leases[l].host == ID(m) + 1 && NUMBER_OF(l) == HELD.number + 1 && ((leases[l].answers >> m) & 1))
#else
#define ACCEPTS(m, l) (HELD.request != 0 && leases[l].host == ID(m) + 1 && NUMBER_OF(l) == HELD.number + 1)
#endif
#endif

/* = sekisho.agent.acceptance:take_lease */
inline take_lease(m, l) {
#ifdef OWN_END
#if MUTANT == PERMIT_BY_EARLIEST
    leases[l].ends = LATE(l)
#else
    leases[l].ends = (HELD.request == FORSAKEN -> LATE(l) : NOT_AFTER(l))
#endif
#else
    skip
#endif
}
#if MUTANT == LEASE_WITHOUT_NONCE
#define IS_FORSAKEN(m) false
#else
#define IS_FORSAKEN(m) (HELD.request == FORSAKEN)
#endif

/* = sekisho.agent.decide:decide */
#if MUTANT == NO_ACKNOWLEDGEMENT
#define IS_ACKNOWLEDGED(m) true
#else
#define IS_ACKNOWLEDGED(m) (!IS_ONLINE(m) || !HELD.unacknowledged)
#endif
#define IS_DUE(m) (!HELD.running || now + GRACE >= HELD.until)
#define HAS_ROOM(m) (HELD.spent + USED(m) + RESERVE <= leases[HELD.in_hand].allowance)
#define MAY_BEGIN(m) (HELD.in_hand != 0 && now < ENDS(HELD.in_hand) && IS_ACKNOWLEDGED(m) && IS_DUE(m) && HAS_ROOM(m))

/* = sekisho.agent.decide:permit_to_run */
inline permit_to_run(m) {
    HELD.until = now + QUANTUM + GRACE;
    HELD.under = HELD.in_hand;
    HELD.uncovered = 0;
    HELD.running = 1
}

/* = sekisho.agent.quanta:Quanta.begin */
inline begin(m) {
    /* Receipt, state with q + 1, counter (on C2: state, counter, receipt), then the permit. */
    settle(m);
    reserve(m);
    TRACED(quantum[m]++);
    receipted(m);
    HELD.unacknowledged = IS_ONLINE(m);
#ifdef RESTORE
    stepped = stepped || m == 0
#endif
}

/* = sekisho.agent.memory:Memory.open */
inline open(m) {
    forget_quantum(m);
    TRACED(counter[m] = quantum[m]);
#if MUTANT == CLOCK_FORGOTTEN_AT_RESTART
    leases[HELD.in_hand].ends = LATE(HELD.in_hand);
#endif
    skip
}

/* = sekisho.licensing.spending:check_start */
inline check_start(m, state, count) {
    /* Equal, or the state one ahead: a crash. Anything else would be called a rollback, and here was none. */
    assert(state == count || state == count + 1)
}

/* = sekisho.agent.watchdog:decide_due */
inline decide_due(m) {
#if MUTANT == NO_WATCHDOG
    skip
#else
    if
    :: now >= HELD.until -> forget_quantum(m); halt(m)      /* it ran to its permit's end: nothing is unused */
    :: else
    fi
#endif
}

/* = sekisho.ports.driver:Driver.kill */
inline halt(m) {
    l = HELD.under;
    HELD.running = 0;
    HELD.until = 0;
    HELD.under = 0;
    HELD.uncovered = 0;
    forget_lease(l);
    l = 0
}

/* = sekisho.agent.duty:Duty */
proctype agent(byte m) {
    byte l;
    do
    /* = Quanta.ask_ahead; that it asks once more, with a fresh nonce, changes nothing here */
    :: d_step { HELD.there && HELD.waiting == 0 && HELD.request == 0 && granted < LEASES ->
        HELD.request = ASKED;
#if FORKS > 0
        fresh(m);
#endif
        TOLD(Ask, m, 0) }
    /* = Quanta.take */
    :: atomic { HELD.there && (ACCEPTS(m, 1) || ACCEPTS(m, 2) || ACCEPTS(m, LEASES)) ->
        if
        :: ACCEPTS(m, 1) -> l = 1
        :: ACCEPTS(m, 2) -> l = 2
        :: ACCEPTS(m, LEASES) -> l = LEASES
        fi;
        d_step {
            take_lease(m, l);
            if
            /* An answer to what was asked before a reboot, or that came too late, keeps the numbers whole. */
            :: IS_FORSAKEN(m) || now >= ENDS(l) || HELD.waiting != 0 -> give_back(m, l); TOLD(GiveBack, m, l)
            :: else -> take(m, l); TOLD(Accept, m, l)
            fi;
            HELD.request = 0; l = 0
        } }
    /* = Quanta.begin: the next quantum, or the first one; a crash may come between its writes */
    :: d_step { HELD.there && MAY_BEGIN(m) -> begin(m); permit_to_run(m); TRACED(counter[m]++); TOLD(Begin, m, HELD.in_hand) }
#ifdef TRACE
    :: d_step { HELD.there && MAY_BEGIN(m) && IS_ONLINE(m) -> begin(m); forget_quantum(m); open(m); TOLD(CrashReceipt, m, HELD.in_hand) }
    :: d_step { HELD.there && MAY_BEGIN(m) -> begin(m); counter[m]++; open(m); TOLD(CrashCounter, m, HELD.in_hand) }
#endif
    :: d_step { HELD.there && MAY_BEGIN(m) ->
        begin(m);
#if MUTANT == COUNTER_BEFORE_STATE
        check_start(m, 0, 1);
#else
        check_start(m, 1, 0);
#endif
        open(m); TOLD(CrashState, m, HELD.in_hand) }
    /* over to the lease that waits, the old one's final receipt first; the work may still run */
    :: d_step { HELD.there && HELD.in_hand != 0 && HELD.waiting != 0 && IS_DUE(m) ->
        l = HELD.in_hand;
#if MUTANT == SWITCH_UNCOVERED
        HELD.uncovered = HELD.running;
        settle(m);
#else
        /* Its permit goes on to its end, so the old lease pays for that, too. */
        forget_quantum(m);
#endif
        final_receipt(m, l); l = 0; TOLD(Switch, m, HELD.in_hand) }
    /* the agent stops the work, and what was not used is credited */
    :: d_step { HELD.running -> settle(m); halt(m); TOLD(Stop, m, HELD.in_hand) }
    /* = Quanta.close */
    :: d_step { HELD.in_hand != 0 &&
#if MUTANT == CLOSE_WHILE_RUNNING
            true ->
        HELD.uncovered = HELD.running;
#else
            !HELD.running && MAY_CLOSE ->
#endif
        settle(m); l = HELD.in_hand; final_receipt(m, l); l = 0; TOLD(Close, m, 0) }
    od
}

/* --- the issuer: operations/leasing --------------------------------------------------------------------------------- */

#if MUTANT == GRANT_BEYOND_BOOKS
#define FITS true
#define TERM ALLOWANCE
#else
#define FITS (available >= RESERVE)
#define TERM (available < ALLOWANCE -> available : ALLOWANCE)
#endif
#ifdef CLONE
#define GRANTS(h) (!forked && machines[h].request != 0 && NUMBERS(0) == machines[h].number && FITS)
#else
/* Hosts of one tier are alike: whoever gets the first lease is called 0. */
#define GRANTS(h) ((granted != 0 || TIER0 != TIER1 || h == 0) && machines[h].request != 0 && NUMBERS(h) == machines[h].number && FITS)
#endif
/* The issuer's clock may be ahead by CLOCK_ERROR, and it waits as long. */
#if MUTANT == FORFEIT_BEFORE_CLOCK_ERROR
#define SLACK GRACE
#else
#define SLACK (GRACE + CLOCK_ERROR)
#endif
#define IS_OVERDUE(l, h) (leases[l].state == OPEN && leases[l].host == h + 1 && now + CLOCK_ERROR > NOT_AFTER(l) + SLACK)
#ifdef CLONE
/* Of two branches the issuer takes the one whose receipt comes first; a receipt of the other is a fork. */
#define IS_FOLLOWED(h) (!machines[h].own || heir == 0 || heir == h + 1)
#else
#define IS_FOLLOWED(h) true
#endif
#define IS_FINAL(l, h) (leases[l].state == OPEN && leases[l].final[BRANCH(h)] && leases[l].host == ID(h) + 1)

/* = sekisho.operations.leasing:LeaseCounter.take_receipt */
inline take_finals(h) {
    l = 1;
    do
    :: l <= LEASES ->
        if
        :: IS_FINAL(l, h) ->
            leases[l].state = CLOSED;
            close(leases[l].allowance, leases[l].consumed[BRANCH(h)], 0);
            forget_lease(l)
        :: else
        fi;
        l++
    :: else -> break
    od;
    l = 0;
#if defined(TRACE) || MUTANT == CREDIT_BEFORE_RECEIPT
    leases[machines[h].in_hand].told = machines[h].reserved;
#endif
#ifdef CLONE
    if
    :: machines[h].own && heir == 0 -> heir = h + 1
    :: else
    fi
#else
    skip
#endif
}

/* = sekisho.operations.leasing:LeaseCounter.close_overdue */
inline close_overdue(h) {
#ifndef ONLY_INVARIANT_1
    /* Nobody may still work under it. */
    assert(!(machines[0].running && machines[0].under == l) && !(machines[1].running && machines[1].under == l));
#endif
    leases[l].state = CLOSED;
#if MUTANT == CREDIT_BEFORE_RECEIPT
    /* What no receipt told of counts as unused, and returns. */
    close(leases[l].allowance, leases[l].told, 0);
    assert(machines[0].in_hand != l || machines[0].reserved <= KEPT(l));
    assert(machines[1].in_hand != l || machines[1].reserved <= KEPT(l));
#else
#ifdef TRACE
    close(leases[l].allowance, leases[l].told, leases[l].allowance - leases[l].told);
#else
    close(leases[l].allowance, leases[l].allowance, 0);
#endif
#endif
    leases[l].final[0] = 0;
    leases[l].consumed[0] = 0;
    forget_lease(l)
}

/* = sekisho.operations.leasing:LeaseCounter */
proctype issuer(byte h) {
    byte l; byte flop;
    do
    /* a request, at any time after it was made: = sekisho.licensing.leases:decide_lease */
    :: d_step { granted < LEASES && GRANTS(h) ->
        flop = TERM;
        granted++;
        leases[granted].host = ID(h) + 1;
        leases[granted].granted = now;
        leases[granted].allowance = flop;
        leases[granted].state = OPEN;
#if FORKS > 0
        leases[granted].answers = (1 << h);
#endif
#ifdef RESTORE
        kept_answer = (waits && h == 0 -> granted : kept_answer);
#endif
#ifdef CLONE
        leases[granted].answers = (shared -> 3 : 1 << h);
#endif
        lease(flop);
        flop = 0;
        TOLD(Grant, h, granted) }
    /* receipts arrive in the order of their chain: = LeaseCounter.take_receipt */
    :: d_step { machines[h].there && IS_FOLLOWED(h) && (IS_FINAL(1, h) || IS_FINAL(2, h) || IS_FINAL(LEASES, h)) ->
        take_finals(h); TOLD(Receipts, h, 0) }
    /* and their acknowledgement comes back: = sekisho.agent.acceptance:take_acknowledgement */
    :: d_step { machines[h].unacknowledged && IS_FOLLOWED(h) ->
        take_finals(h); machines[h].unacknowledged = 0; TOLD(Acknowledge, h, 0) }
#ifdef CLONE
    /* two receipts with one number: nothing more is granted, the finding is raised */
    :: d_step { machines[h].own && !IS_FOLLOWED(h) && !forked -> forked = 1; TOLD(Receipts, h, 0) }
#endif
    /* a lease that nobody closed */
    :: atomic { IS_OVERDUE(1, h) || IS_OVERDUE(2, h) || IS_OVERDUE(LEASES, h) ->
        if
        :: IS_OVERDUE(1, h) -> l = 1
        :: IS_OVERDUE(2, h) -> l = 2
        :: IS_OVERDUE(LEASES, h) -> l = LEASES
        fi;
        d_step { close_overdue(h); TOLD(Overdue, h, l); l = 0 } }
    od
}

/* --- what befalls hosts ---------------------------------------------------------------------------------------------- */

/* = environment: power is lost and comes back: what is held is given back, what waits is forsaken */
inline reboot(m) {
    if
    :: HELD.running -> halt(m)
    :: else
    fi;
    open(m);
    HELD.request = (HELD.request != 0 -> FORSAKEN : 0);
#if MUTANT == REBOOT_FORGOTTEN_AT_RESTART
    /* The start that noticed died before it gave the lease back, and the next one saw nothing amiss; the time of the
     * lease's proof is then the newest that it knows. */
    leases[HELD.in_hand].ends = LATE(HELD.in_hand)
#else
    do
    :: HELD.in_hand != 0 -> l = HELD.in_hand; final_receipt(m, l); l = 0
    :: else -> break
    od
#endif
}

#ifdef CLONE
/* = environment: the whole host is copied, memory, disk and counter */
inline clone() {
    machines[1].there = 1;
    leases[1].final[1] = leases[1].final[0]; leases[1].consumed[1] = leases[1].consumed[0];
    leases[2].final[1] = leases[2].final[0]; leases[2].consumed[1] = leases[2].consumed[0];
    leases[LEASES].final[1] = leases[LEASES].final[0]; leases[LEASES].consumed[1] = leases[LEASES].consumed[0];
    machines[1].unacknowledged = machines[0].unacknowledged;
    machines[1].in_hand = machines[0].in_hand;
    machines[1].waiting = machines[0].waiting;
    machines[1].spent = machines[0].reserved;
    machines[1].reserved = machines[0].reserved;
    machines[1].number = machines[0].number;
    machines[1].request = machines[0].request;
    shared = (machines[0].request != 0);
    if
    :: granted != 0 && shared -> leases[granted].answers = leases[granted].answers * 3
    :: else
    fi
}
#endif

#ifdef RESTORE
/* = environment: a copy of the disk, not of the counter */
inline keep() {
    kept = 1; stepped = 0;
    waits = (machines[0].request == ASKED);     /* and is answered later, perhaps */
    kept_answer = (waits && granted != 0 && (leases[granted].answers & 1) -> granted : 0);
    kept_in_hand = machines[0].in_hand; kept_waiting = machines[0].waiting; kept_spent = machines[0].reserved;
    kept_number = machines[0].number; kept_request = machines[0].request
}

/* = environment: the copy is put back, and the agent starts */
inline restore() {
    restored = 1;
    machines[0].number = kept_number;
    if
    :: stepped ->
        /* Not equal, and not one ahead: rolled back. */
        without_leases(0);
        machines[0].request = (kept_request != 0 -> FORSAKEN : 0)
    :: else ->
        machines[0].in_hand = kept_in_hand; machines[0].waiting = kept_waiting;
        machines[0].spent = kept_spent; machines[0].reserved = kept_spent;
        machines[0].request = kept_request;
        if
        :: kept_answer != 0 -> leases[kept_answer].answers = 1
        :: else
        fi
    fi
}
#endif

/* = environment: the true time passes; work that runs uses what it reserved, the watchdogs look at their clocks */
proctype time() {
    byte m; byte l;
    do
    :: d_step { now < TICKS && IS_PACED ->
        now++;
        do
        :: m < HOSTS ->
            if
            :: HELD.running ->
                /* Invariant 1: not-after + grace + one quantum; the driver's stop time is none here. */
                assert(now <= NOT_AFTER(HELD.under) + GRACE + QUANTUM);
                /* Invariant 4 means something only where every tick of work is reserved. */
                assert(!HELD.uncovered);
                decide_due(m)
            :: else
            fi;
            m++
        :: else -> break
        od;
        m = 0;
        TOLD(Tick, 0, 0) }
    od
}

/* = environment: what befalls a host */
proctype fate(byte m) {
    byte l;
    do
    /* the agent dies, its work goes on under the watchdog; it starts again */
    :: d_step { HELD.there && (HELD.reserved > HELD.spent || MUTANT == CLOCK_FORGOTTEN_AT_RESTART) -> open(m); TOLD(Restart, m, 0) }
    /* power is lost and comes back */
    :: d_step { HELD.there && (HELD.in_hand != 0 || HELD.request == ASKED) && MAY_REBOOT(m) -> TRACED(rebooted[m] = 1); reboot(m); TOLD(Reboot, m, 0) }
#ifdef CLONE
    :: d_step { m == 1 && !HELD.there -> clone(); TOLD(Copy, 1, 0) }
#endif
#ifdef RESTORE
    :: d_step { m == 0 && !kept -> keep(); TOLD(Keep, 0, 0) }
    :: d_step { m == 0 && kept && !restored -> restore(); TOLD(Restore, 0, 0) }
#endif
    od
}

init {
    d_step {
        machines[0].there = 1;
#ifndef CLONE
        machines[1].there = 1
#endif
    };
    atomic { run issuer(0); run issuer(1); run agent(0); run agent(1); run fate(0); run fate(1); run time() }
}
