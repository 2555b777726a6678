/* Orders: key holders, log and witnesses, registers, issuer, agents, watchdogs, network. Promela, for Spin 6.5.
 *
 * What is checked, what is left out and how a counterexample is read: docs/verification.md. The lease that stops a host
 * by silence is here with its times alone; its books, numbers and counters are models/lease.pml.
 * Above every proctype and inline stands the Python name that it stands for ("= module:name"), or "= environment" for
 * what no code of ours does. tests/simulation holds that these names exist, and walks random traces of this model
 * through those very Python functions with real signatures, comparing the state after each step.
 *
 * One tick is one quantum. A message once sent may arrive at any time or never, over any channel, in any order: a process
 * need not act, and may act on anything that was ever sent. So control plane, log or witnesses that are down, partitions
 * and agents that die are all in the model.
 *
 * What only refuses is left out of the search, since a host need not act: a lease is in hand as soon as it is granted
 * (whatever `accept_lease` would refuse), an outstanding resume holds nothing back, and running work does not drain while
 * an order is outstanding. Walks (TRACE) have all of that, so that model and code can be compared.
 */

#ifndef TICKS
#define TICKS 5
#endif
#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef RELEASES
#define RELEASES 1      /* resumes */
#endif
#ifndef LEASE
#define LEASE 1         /* the charter's longest lease, and how long witnesses have to show what was taken on sight */
#endif
#define DEADLINE LEASE
#define GRACE 1
#define QUANTUM 1
#define OUTAGE_LASTS (LEASE + GRACE + 1)

/* The defects that a mutated model has, one each; the honest model has none. */
#ifndef MUTANT
#define MUTANT 0
#endif
#define RESUME_ON_SIGHT 1
#define RESUME_NAMES_ANOTHER 2
#define QUORUM_PER_KEY 3
#define KEY_COUNTED_TWICE 4
#define WITHDRAWN_COUNTED 5
#define HEAD_IGNORED 6
#define GRANT_WHILE_COVERED 7
#define EXPIRY_LAPSES 8
#define GAP_IS_STALE 9
#define OTHER_DIGEST_TAKEN 10           /* with TWIN */
#define UNWITNESSED_SURVIVES 11
#define NO_WATCHDOG 12
#define LAPSED_REFOLDED 13              /* with TWIN */
#define RECEIPT_BEFORE_KEPT 14
#define SEEN_BY_EARLIEST 15             /* with LAG */
#define HEAD_LOST_AT_LAPSE 16
#define OUTAGE_OVER_ORDER 17            /* with OUTAGE */
#define OUTAGE_BY_ONE 18                /* with OUTAGE */
#define EXPIRY_BY_LATEST 19
#define WITNESSED_LAPSES 20
#define CAP_LOOSENS_PAUSE 21            /* with CAP */
#define CAP_ON_SIGHT 22                 /* with CAP */
#define CAP_LIFTED_ON_SIGHT 23          /* with CAP */

/* Two orders that restrict. TWIN: two drafts of number 1 of one register. HOLD: the second is a hold, in a register of
 * its own; CAP: the second is a cap, which asks the work to slow down and acts by proof alone. Otherwise they are numbers 1 and 2 of the register of pauses. The first covers both hosts, the second one. */
#define PAUSE 1
#define HELD_BACK 2
#define SLOWED 3
#ifdef CAP
#define KIND(o) (o == 1 -> PAUSE : SLOWED)
#define IS_CAP(o) (o == 2)
#else
#define IS_CAP(o) false
#ifdef HOLD
#define KIND(o) (o == 1 -> PAUSE : HELD_BACK)
#else
#define KIND(o) PAUSE
#endif
#endif
#if defined(HOLD) || defined(CAP)
#define OWN_REGISTER    /* of the second order */
#endif
#ifdef SECOND
#define COVERS(m, o) (o == 1)           /* the one host there is is the second */
#else
#define COVERS(m, o) (o == 1 || m == 0)
#endif
#define FIRST_RELEASE 3
#define SLOTS (FIRST_RELEASE + RELEASES)
#ifndef EXPIRES
#define EXPIRES (LEASE + 1)
#endif
/* PAUSE_LAPSES: the charter says that a pause lapses at its expiry; otherwise new work is refused until a resume. */
#ifdef PAUSE_LAPSES
#define LAPSES(o) true
#else
#define LAPSES(o) (KIND(o) != PAUSE)
#endif

/* Constituency A has three keys, of which two must sign, B one key, which must. A hold asks for one key of A alone. */
#define NEED_A(o) (o < FIRST_RELEASE && KIND(o) == HELD_BACK -> 1 : 2)
#define NEED_B(o) (o < FIRST_RELEASE && KIND(o) == HELD_BACK -> 0 : 1)

/* An order as its key holders and the log see it. */
#define DRAFTED 1
#define RECORDED 2
#define WITNESSED 3

typedef Order {
    byte state;
    byte by_a;          /* distinct keys that signed */
    bit by_b;
    bit taken_back;     /* one key of A withdrew, and the log held that before it held the order */
    byte names;         /* of a resume: the orders that it lifts, as bits */
    byte index;         /* when the log recorded it */
}

/* An order as an agent knows it. */
#define ON_SIGHT 1
#define PROVED 2
#define LAPSED 3

typedef Host {
    byte known[SLOTS];
    byte seen[3];       /* when it was taken on sight */
    byte told;          /* the heads that an authorised, witnessed statement named, as bits; they stand for their number */
    byte halted;        /* the orders under which it said halted, as bits */
#ifdef TRACE
    bit late;           /* an order has been outstanding for longer than the fetch delay */
    byte answer;        /* the lease that waits to be taken: 1 + when it was granted, */
    byte heads;         /* and the heads under which it was, as bits */
#endif
    byte lease;         /* the lease in hand: 1 + when it was granted */
    bit running;        /* licensed work runs */
    byte until;         /* the watchdog's permit */
#ifdef LAG
    bit behind;         /* the newest time that a witness signed and that came here was a tick old when it came */
    bit early[3];       /* it was when the order was taken */
#endif
#ifdef OUTAGE
    bit outage;         /* it knows of the outage that was declared */
#endif
#if MUTANT == EXPIRY_BY_LATEST
    bit ahead;          /* its system clock was set ahead */
#endif
#if MUTANT == GAP_IS_STALE
    byte came;          /* the truth: orders that came, as bits */
#endif
#if MUTANT == HEAD_LOST_AT_LAPSE
    byte truly_told;
#endif
}

/* What is asserted, by name: each assertion begins with its own, so that a counterexample says which one broke. */
bit invariant_2; bit invariant_3; bit invariant_7; bit stopped_on_sight; bit nothing_under_an_order; bit nothing_new_while_outstanding;
bit lapses_after_a_day; bit lapses_at_last; bit outage_by_two;
bit cap_loosens_nothing; bit cap_by_proof; bit cap_lifted_by_witness;
#define HELD_TRUE(name, condition) assert(name || (condition))

byte now;
Order orders[SLOTS];    /* 1 and 2 restrict, the rest are resumes; 0 is none */
Host hosts[HOSTS];
#ifdef OUTAGE
byte outage;            /* 1 + when it was declared */
byte outage_by;         /* how many constituencies signed it */
#endif

#define AGENT hosts[m]
/* Orders 1 and 2 are their own bits; resumes are 4 and 8. */
#define BIT(o) (o < FIRST_RELEASE -> o : (o == FIRST_RELEASE -> 4 : 8))
#define OTHER(o) (3 - o)

/* --- quorums: signing/charter.py, signing/keybook.py ------------------------------------------------------------------ */

/* The truth: both constituencies stand behind it, each with as many distinct keys as the charter asks. */
#define TWO_SIGNED(o) (orders[o].by_a >= NEED_A(o) && orders[o].by_b >= NEED_B(o))
#define TWO_STAND(o) (orders[o].by_a - orders[o].taken_back >= NEED_A(o) && orders[o].by_b >= NEED_B(o))

#if MUTANT == QUORUM_PER_KEY
#define IS_MET(o, back) (orders[o].by_a - (back) + orders[o].by_b >= NEED_A(o) + NEED_B(o))
#elif MUTANT == KEY_COUNTED_TWICE
#define IS_MET(o, back) (orders[o].by_a - (back) > 0 && orders[o].by_b >= NEED_B(o))
#else
#define IS_MET(o, back) (orders[o].by_a - (back) >= NEED_A(o) && orders[o].by_b >= NEED_B(o))
#endif
#if MUTANT == WITHDRAWN_COUNTED
#define BACK(o) 0
#else
#define BACK(o) orders[o].taken_back
#endif

/* --- registers: orders/registers.py ----------------------------------------------------------------------------------- */

#ifdef TWIN
#define FOLLOWS(o) (orders[OTHER(o)].state < RECORDED)
#else
#ifdef OWN_REGISTER
#define FOLLOWS(o) true
#else
#define FOLLOWS(o) (o == 1 || orders[1].state >= RECORDED)
#endif
#endif
#if RELEASES > 1
#define IS_LAST_RECORDED (orders[FIRST_RELEASE + 1].state == RECORDED)
#define FOLLOWS_RELEASE(o) (o == FIRST_RELEASE || orders[FIRST_RELEASE].state >= RECORDED)
#define RELEASED_BY(m, r, o) (hosts[m].known[r] && NAMED(r, o))
#define IS_LIFTED(m, o) (RELEASED_BY(m, FIRST_RELEASE, o) || RELEASED_BY(m, FIRST_RELEASE + 1, o))
#define TRULY_NAMED(r, o, state_) (orders[r].state >= state_ && (orders[r].names & BIT(o)) && TWO_STAND(r))
#define TRULY_LIFTED(o, state_) (TRULY_NAMED(FIRST_RELEASE, o, state_) || TRULY_NAMED(FIRST_RELEASE + 1, o, state_))
#else
#define IS_LAST_RECORDED false
#define FOLLOWS_RELEASE(o) true
#define RELEASED_BY(m, r, o) (hosts[m].known[r] && NAMED(r, o))
#define IS_LIFTED(m, o) RELEASED_BY(m, FIRST_RELEASE, o)
#define TRULY_LIFTED(o, state_) (orders[FIRST_RELEASE].state >= state_ && (orders[FIRST_RELEASE].names & BIT(o)) && TWO_STAND(FIRST_RELEASE))
#endif
#if MUTANT == RESUME_NAMES_ANOTHER
#define NAMED(r, o) true
#else
#define NAMED(r, o) (orders[r].names & BIT(o))
#endif

#ifdef LAG
#define EARLIEST(m) (now - hosts[m].behind)
#else
#define EARLIEST(m) now
#endif
#if MUTANT == EXPIRY_BY_LATEST
#define HAS_EXPIRED(m, o) (hosts[m].ahead || EARLIEST(m) >= EXPIRES)      /* its system clock may be ahead */
#else
#define HAS_EXPIRED(m, o) (EARLIEST(m) >= EXPIRES)
#endif
#if MUTANT == EXPIRY_LAPSES
#define LETS_GO(o) true
#else
#define LETS_GO(o) LAPSES(o)
#endif
/* How long ago an order was taken on sight, by elapsed time: a newer signed time makes no order older. */
#define SINCE(m, o) (now - hosts[m].seen[o])
#if MUTANT == UNWITNESSED_SURVIVES
#define HAS_LAPSED(m, o) (hosts[m].known[o] == LAPSED)
#elif MUTANT == SEEN_BY_EARLIEST
#define HAS_LAPSED(m, o) (hosts[m].known[o] == LAPSED || (hosts[m].known[o] == ON_SIGHT && EARLIEST(m) + hosts[m].early[o] - hosts[m].seen[o] > DEADLINE))
#elif MUTANT == WITNESSED_LAPSES
#define HAS_LAPSED(m, o) (hosts[m].known[o] == LAPSED || (hosts[m].known[o] && SINCE(m, o) > DEADLINE))
#else
#define HAS_LAPSED(m, o) (hosts[m].known[o] == LAPSED || (hosts[m].known[o] == ON_SIGHT && SINCE(m, o) > DEADLINE))
#endif
#define IS_IN_FORCE(m, o) (hosts[m].known[o] && !HAS_LAPSED(m, o) && !IS_LIFTED(m, o) && !(LETS_GO(o) && HAS_EXPIRED(m, o)))
/* = sekisho.following.follow:Follower.caps */
#define IS_CAPPED(m) (IS_CAP(2) && COVERS(m, 2) && IS_IN_FORCE(m, 2))
#if MUTANT == CAP_LOOSENS_PAUSE
#define DEMANDS(m, o) (!IS_CAP(o) && COVERS(m, o) && IS_IN_FORCE(m, o) && !IS_CAPPED(m))
#else
#define DEMANDS(m, o) (!IS_CAP(o) && COVERS(m, o) && IS_IN_FORCE(m, o))
#endif
#define IS_COVERED(m) (DEMANDS(m, 1) || DEMANDS(m, 2))
#define DEMANDED(m) ((DEMANDS(m, 1) -> 1 : 0) + (DEMANDS(m, 2) -> 2 : 0))

/* Whether the agent holds an order: one that lapsed is dropped, and its number is free. */
#define HOLDS(m, o) (hosts[m].known[o] == ON_SIGHT || hosts[m].known[o] == PROVED)
#define IS_HEARD(m, o) (HOLDS(m, o) || (hosts[m].told & BIT(o)))
#if RELEASES > 1
#define LACKS_RELEASE(m) ((hosts[m].told & 8 -> !hosts[m].known[3] || !hosts[m].known[4] : false) || (hosts[m].told & 4 -> !hosts[m].known[3] : false) || (hosts[m].known[4] && !hosts[m].known[3]))
#else
#define LACKS_RELEASE(m) ((hosts[m].told & 4) && !hosts[m].known[3])
#endif
#ifdef TWIN
#define LACKS(m) ((hosts[m].told & 3) && !HOLDS(m, 1) && !HOLDS(m, 2))
#define IS_OTHER(m, o) (IS_HEARD(m, OTHER(o)))
#elif MUTANT == GAP_IS_STALE
#define LACKS(m) ((hosts[m].told & 2) && !HOLDS(m, 2))
#define IS_OTHER(m, o) false
#else
#ifdef OWN_REGISTER
#define LACKS(m) (((hosts[m].told & 1) && !HOLDS(m, 1)) || ((hosts[m].told & 2) && !HOLDS(m, 2)))
#else
#define LACKS(m) ((IS_HEARD(m, 2) && (!HOLDS(m, 1) || !HOLDS(m, 2))) || ((hosts[m].told & 1) && !HOLDS(m, 1)))
#endif
#define IS_OTHER(m, o) false
#endif
#if MUTANT == OTHER_DIGEST_TAKEN
#define IS_TAKEN_AS(m, o) true
#else
#define IS_TAKEN_AS(m, o) (!IS_OTHER(m, o))
#endif
#define IS_OUTSTANDING(m) (LACKS(m) || LACKS_RELEASE(m))
/* A hold that no witness has shown acts and numbers nothing: no head moves by it. = sekisho.following.holds:HostHolds.unseen */
#ifdef HOLD
#define IS_NUMBERED(m) (hosts[m].known[2] == PROVED || (hosts[m].told & 2))
#else
#define IS_NUMBERED(m) IS_HEARD(m, 2)
#endif
/* The heads of a lease are no lower than those that this host has heard of. */
#define HEARD(m) ((IS_HEARD(m, 1) -> 1 : 0) + (IS_NUMBERED(m) -> 2 : 0) + ((hosts[m].known[3] || (hosts[m].told & 4)) -> 4 : 0) + HEARD_LAST(m))
#if RELEASES > 1
#define HEARD_LAST(m) ((hosts[m].known[4] || (hosts[m].told & 8)) -> 8 : 0)
#else
#define HEARD_LAST(m) 0
#endif

/* --- leases: licensing/leases.py, agent/decide.py ----------------------------------------------------------------------- */

#define NOT_AFTER(granted_) ((granted_) - 1 + LEASE)
/* What stands at the issuer, whose log it is. */
#define STANDS(o) (orders[o].state >= RECORDED && !TRULY_LIFTED(o, RECORDED) && !(LAPSES(o) && now >= EXPIRES))
#if MUTANT == GRANT_WHILE_COVERED
#define IS_GRANTED(m) true
#else
#define IS_GRANTED(m) (!(COVERS(m, 1) && STANDS(1)) && !(COVERS(m, 2) && STANDS(2) && !IS_CAP(2)))
#endif
#define HEAD_BIT(o) (orders[o].state >= RECORDED -> BIT(o) : 0)
#if RELEASES > 1
#define LOG_HEADS (HEAD_BIT(1) + HEAD_BIT(2) + HEAD_BIT(3) + HEAD_BIT(4))
#else
#define LOG_HEADS (HEAD_BIT(1) + HEAD_BIT(2) + HEAD_BIT(3))
#endif
#define IS_DUE(m) (!hosts[m].running || now + GRACE >= hosts[m].until)
#ifdef OUTAGE
#define OUTAGE_END (outage - 1 + OUTAGE_LASTS)
#if MUTANT == OUTAGE_OVER_ORDER
#define IS_SPARED(m) (hosts[m].running && hosts[m].outage && now + GRACE < OUTAGE_END && outage - 1 <= NOT_AFTER(hosts[m].lease) + GRACE)
#define IS_STOPPED(m) (!IS_SPARED(m) && (IS_COVERED(m) || IS_HELD_BACK(m)))
#else
#define IS_SPARED(m) (hosts[m].running && hosts[m].outage && !IS_COVERED(m) && !IS_OUTSTANDING(m) && now + GRACE < OUTAGE_END && outage - 1 <= NOT_AFTER(hosts[m].lease) + GRACE)
#define IS_STOPPED(m) (IS_COVERED(m) || IS_HELD_BACK(m))
#endif
#define IS_LEASED(m) (hosts[m].lease && (now < NOT_AFTER(hosts[m].lease) || IS_SPARED(m)))
#else
#define IS_LEASED(m) (hosts[m].lease && now < NOT_AFTER(hosts[m].lease))
#define IS_STOPPED(m) (IS_COVERED(m) || IS_HELD_BACK(m))
#endif
#if MUTANT == HEAD_IGNORED
#define IS_HELD_BACK(m) false
#else
#define IS_HELD_BACK(m) (hosts[m].running -> IS_LATE(m) : IS_OUTSTANDING(m))
#endif
#ifdef TRACE
#define IS_LATE(m) hosts[m].late
#else
#define IS_LATE(m) false
#endif
#define MAY_BEGIN(m) (IS_LEASED(m) && IS_DUE(m) && !IS_STOPPED(m))

/* The truth: what an order under which this host said halted may be over by. */
#define IS_OVER(m, o) (TRULY_LIFTED(o, WITNESSED) || (LAPSES(o) && now >= EXPIRES) || (hosts[m].known[o] == ON_SIGHT && SINCE(m, o) > DEADLINE))

#ifdef TRACE
byte z; byte pace;
#define IS_PACED (pace >= 6 || timeout)
/* A random walk shall meet more than these. */
#define IS_RARE (pace == 2 || pace == 5)
#define TOLD(what, m, o) \
    printf("STEP %e %d %d now %d\n", what, m, o, now); \
    pace = (what == Tick -> 0 : (pace < 9 -> pace + 1 : pace)); z = 0; \
    do \
    :: z < HOSTS -> SHOW(z); z++ \
    :: else -> break \
    od; \
    z = 1; \
    do \
    :: z < SLOTS -> SHOW_ORDER(z); z++ \
    :: else -> break \
    od
#define SHOW_ORDER(o) printf("ORDER %d state %d a %d b %d back %d names %d takes %d\n", o, orders[o].state, orders[o].by_a, orders[o].by_b, \
    orders[o].taken_back, orders[o].names, IS_RECORDABLE(o))
#define IS_RECORDABLE(o) (orders[o].state == DRAFTED && IS_MET(o, BACK(o)) && (o < FIRST_RELEASE -> FOLLOWS(o) && now < EXPIRES : FOLLOWS_RELEASE(o)))
#define SHOW(m) printf("HOST %d first %d second %d release %d lapsed %d heads %d outstanding %d demanded %d lease %d running %d until %d may %d grants %d capped %d\n", \
    m, (HOLDS(m, 1) -> hosts[m].known[1] : 0), (HOLDS(m, 2) -> hosts[m].known[2] : 0), hosts[m].known[3], \
    ((hosts[m].known[1] == LAPSED -> 1 : 0) + (hosts[m].known[2] == LAPSED -> 2 : 0)), HEARD(m), IS_OUTSTANDING(m), DEMANDED(m), \
    hosts[m].lease, hosts[m].running, hosts[m].until, MAY_BEGIN(m), IS_GRANTED(m), IS_CAPPED(m))
#else
#define IS_PACED true
#define IS_RARE true
#define TOLD(what, m, o) printf("STEP %e %d %d now %d\n", what, m, o, now)
#endif

mtype = { Draft, Withdraw, Record, Witness, Sight, Prove, Tell, Refuse, RefuseProof, Restart, Hear, Grant, Accept, Begin, Stop, Halt,
          GiveBack, Declare, Learn, Jump, Tick };

/* --- key holders, log, witnesses ---------------------------------------------------------------------------------------- */

/* = environment: somebody drafts an order and signs it with such keys as he has; who has too few may try all the same */
inline draft(o) {
    orders[o].state = DRAFTED;
#ifdef QUORUMS
    orders[o].by_a = a; orders[o].by_b = b;
#else
    orders[o].by_a = 2; orders[o].by_b = 1;
#endif
    a = 0; b = 0
}

/* A host that has the proof of a restricting order only refuses more: the search lets it have it at once. */
#ifdef TRACE
#define RECORDED_AS(o) RECORDED
#else
#define RECORDED_AS(o) (o < FIRST_RELEASE -> WITNESSED : RECORDED)
#endif

/* = sekisho.orders.recording:record_in_book */
inline record_in_book(o) {
    /* Invariant 2, at the log. */
    HELD_TRUE(invariant_2, TWO_STAND(o));
    orders[o].state = RECORDED_AS(o);
    orders[o].index = (o < FIRST_RELEASE -> now : 0)
}

/* = environment: a checkpoint that holds all that was recorded is cosigned by a quorum of witnesses */
inline witness() {
    o = 1;
    do
    :: o < SLOTS ->
        if
        :: orders[o].state == RECORDED -> orders[o].state = WITNESSED
        :: else
        fi;
        o++
    :: else -> break
    od;
    o = 0
}

/* = sekisho.operations.desk:Desk.admit */
proctype desk() {
    byte o; byte a; bit b;
    do
#ifdef QUORUMS
    :: atomic { orders[1].state == 0 || orders[2].state == 0 ->
        if
        :: orders[1].state == 0 -> o = 1
        :: orders[2].state == 0 -> o = 2
        fi;
        if
        :: a = 0
        :: a = 1
        :: a = 2
        :: a = 3
        fi;
        if
        :: b = 0
        :: b = 1
        fi;
        d_step { draft(o); TOLD(Draft, 0, o); o = 0 } }
    :: atomic { orders[FIRST_RELEASE].state == 0 && orders[1].state != 0 ->
        if
        :: a = 0
        :: a = 1
        :: a = 2
        :: a = 3
        fi;
        if
        :: b = 0
        :: b = 1
        fi;
        d_step { orders[FIRST_RELEASE].names = 1; draft(FIRST_RELEASE); TOLD(Draft, 1, FIRST_RELEASE) } }
    /* a key of A takes its signature back */
    :: atomic { true ->
        if
        :: orders[1].state == DRAFTED && orders[1].by_a > 0 && !orders[1].taken_back -> o = 1
        :: orders[2].state == DRAFTED && orders[2].by_a > 0 && !orders[2].taken_back -> o = 2
        :: orders[FIRST_RELEASE].state == DRAFTED && orders[FIRST_RELEASE].by_a > 0 && !orders[FIRST_RELEASE].taken_back -> o = FIRST_RELEASE
        fi;
        d_step { orders[o].taken_back = 1; TOLD(Withdraw, 0, o); o = 0 } }
#else
    :: d_step { orders[1].state == 0 -> draft(1); TOLD(Draft, 0, 1) }
    :: d_step { orders[2].state == 0 -> draft(2); TOLD(Draft, 0, 2) }
    :: atomic { orders[FIRST_RELEASE].state == 0 ->
        if
        :: orders[1].state != 0 -> a = 1
        :: orders[2].state != 0 -> a = 2
        :: orders[1].state != 0 && orders[2].state != 0 -> a = 3
        fi;
        d_step { orders[FIRST_RELEASE].names = a; draft(FIRST_RELEASE); TOLD(Draft, orders[FIRST_RELEASE].names, FIRST_RELEASE) } }
#if RELEASES > 1
    :: atomic { orders[FIRST_RELEASE].state != 0 && orders[FIRST_RELEASE + 1].state == 0 ->
        if
        :: orders[1].state != 0 -> a = 1
        :: orders[2].state != 0 -> a = 2
        fi;
        d_step { orders[FIRST_RELEASE + 1].names = a; draft(FIRST_RELEASE + 1); TOLD(Draft, orders[FIRST_RELEASE + 1].names, FIRST_RELEASE + 1) } }
#endif
#endif
    /* the registers take the next number, by its quorum, without what was taken back, before it expires */
    :: d_step { orders[1].state == DRAFTED && IS_MET(1, BACK(1)) && FOLLOWS(1) && now < EXPIRES -> record_in_book(1); TOLD(Record, 0, 1) }
    :: d_step { orders[2].state == DRAFTED && IS_MET(2, BACK(2)) && FOLLOWS(2) && now < EXPIRES -> record_in_book(2); TOLD(Record, 0, 2) }
    :: d_step { orders[FIRST_RELEASE].state == DRAFTED && IS_MET(FIRST_RELEASE, BACK(FIRST_RELEASE)) ->
        record_in_book(FIRST_RELEASE); TOLD(Record, 0, FIRST_RELEASE) }
#if RELEASES > 1
    :: d_step { orders[FIRST_RELEASE + 1].state == DRAFTED && IS_MET(FIRST_RELEASE + 1, BACK(FIRST_RELEASE + 1)) && FOLLOWS_RELEASE(FIRST_RELEASE + 1) ->
        record_in_book(FIRST_RELEASE + 1); TOLD(Record, 0, FIRST_RELEASE + 1) }
#endif
    :: d_step { orders[1].state == RECORDED || orders[2].state == RECORDED || orders[FIRST_RELEASE].state == RECORDED || IS_LAST_RECORDED ->
        witness(); TOLD(Witness, 0, 0) }
#ifdef OUTAGE
    :: d_step { outage == 0 -> outage = now + 1; outage_by = 2; TOLD(Declare, 0, 2) }
    :: d_step { outage == 0 -> outage = now + 1; outage_by = 1; TOLD(Declare, 0, 1) }
#endif
    od
}

/* --- the agent: agent/follow.py, agent/duty.py ---------------------------------------------------------------------------- */

/* = sekisho.agent.demands:Demands.note */
inline note_since(m) {
#ifdef TRACE
    if
    :: !IS_OUTSTANDING(m) -> AGENT.late = 0
    :: else
    fi
#else
    skip
#endif
}

/* = sekisho.orders.registers:OrderBook.after */
inline after(m, o) {
#if MUTANT == OTHER_DIGEST_TAKEN
    AGENT.known[OTHER(o)] = 0; AGENT.seen[OTHER(o)] = 0; AGENT.told = 0;
#endif
#if MUTANT == GAP_IS_STALE
    AGENT.came = AGENT.came | o;
#endif
    skip
}

/* = sekisho.orders.validity:verify_on_sight */
inline take_on_sight(m, o) {
    /* Invariant 2, on sight. */
    HELD_TRUE(invariant_2, TWO_SIGNED(o));
    HELD_TRUE(cap_by_proof, !IS_CAP(o));
    after(m, o);
#if MUTANT == GAP_IS_STALE
    if
    :: o == 1 && IS_HEARD(m, 2)
    :: else ->
#endif
    AGENT.known[o] = ON_SIGHT;
    AGENT.seen[o] = now;
#if !defined(TRACE) && MUTANT != HEAD_LOST_AT_LAPSE
    AGENT.told = AGENT.told & (15 - o);
#endif
#ifdef LAG
    AGENT.early[o] = AGENT.behind;
#endif
#if MUTANT == GAP_IS_STALE
    fi;
#endif
    note_since(m)
}

/* = sekisho.following.follow:Follower.take_item */
inline take_proved(m, o) {
    after(m, o);
    AGENT.known[o] = PROVED;
    AGENT.told = AGENT.told & (15 - BIT(o));
#if MUTANT != WITNESSED_LAPSES
    AGENT.seen[o] = 0;
#else
    AGENT.seen[o] = (AGENT.seen[o] == 0 -> now : AGENT.seen[o]);
#endif
#ifdef LAG
    AGENT.early[o] = 0;
#endif
    note_since(m)
}

/* = sekisho.orders.registers:OrderBook.in_force */
inline take_release(m, r) {
    AGENT.known[r] = PROVED;
    AGENT.told = AGENT.told & (15 - BIT(r));
    note_since(m)
}

/* = sekisho.following.follow:Follower.hear_heads */
inline hear_heads(m, o) {
    AGENT.told = AGENT.told | BIT(o);
#if MUTANT == HEAD_LOST_AT_LAPSE
    AGENT.truly_told = AGENT.truly_told | BIT(o);
#endif
    skip
}

/* = sekisho.following.follow:Follower._drop */
inline lapse(m, o) {
    /* A day has passed, whatever the clocks say; no witness has shown it here. */
    HELD_TRUE(lapses_after_a_day, AGENT.known[o] == ON_SIGHT && SINCE(m, o) > DEADLINE);
    AGENT.known[o] = LAPSED;
    AGENT.seen[o] = 0;
    AGENT.halted = AGENT.halted & (15 - o);
#ifdef LAG
    AGENT.early[o] = 0;
#endif
#if MUTANT == HEAD_LOST_AT_LAPSE
    AGENT.told = AGENT.told & 12
#else
    skip
#endif
}

/* = sekisho.following.follow:Follower.lapses */
inline lapses(m) {
    if
    :: AGENT.known[1] != LAPSED && HAS_LAPSED(m, 1) -> lapse(m, 1)
    :: else
    fi;
    if
    :: AGENT.known[2] != LAPSED && HAS_LAPSED(m, 2) -> lapse(m, 2)
    :: else
    fi
}

/* = sekisho.agent.duty:Duty.wake */
inline wake(m) {
#ifdef TRACE
    AGENT.late = 0;
#endif
#if MUTANT == LAPSED_REFOLDED
    if
    :: AGENT.known[1] == LAPSED && AGENT.known[2] == PROVED -> AGENT.known[2] = 0
    :: AGENT.known[2] == LAPSED && AGENT.known[1] == PROVED -> AGENT.known[1] = 0
    :: else
    fi
#else
    skip
#endif
}

/* = sekisho.agent.decide:permit_to_run */
inline permit_to_run(m) {
    AGENT.until = now + QUANTUM + GRACE;
    AGENT.running = 1
}

/* = sekisho.agent.duty:Duty._begin_quantum */
inline begin(m) {
    /* Invariant 3: whoever said halted goes on only by a witnessed resume that names it, or as its expiry says. */
    HELD_TRUE(invariant_3, !(AGENT.halted & 1) || IS_OVER(m, 1));
    HELD_TRUE(invariant_3, !(AGENT.halted & 2) || IS_OVER(m, 2));
    AGENT.halted = 0;
    /* Nothing begins under an order, nor new work while one is outstanding. */
    HELD_TRUE(nothing_under_an_order, !IS_COVERED(m));
    HELD_TRUE(nothing_new_while_outstanding, AGENT.running || !IS_OUTSTANDING(m));
#ifdef CAP
    /* The truth: a pause that came here and is not over lets nothing begin, slowed down or not. */
    HELD_TRUE(cap_loosens_nothing, !AGENT.known[1] || IS_OVER(m, 1) || AGENT.known[1] == LAPSED);
    /* What begins under a cap that came here is slowed down, until a witnessed resume or its expiry. */
    HELD_TRUE(cap_lifted_by_witness, !AGENT.known[2] || !COVERS(m, 2) || IS_CAPPED(m) || IS_OVER(m, 2));
#endif
#if MUTANT == GAP_IS_STALE
    HELD_TRUE(stopped_on_sight, !(AGENT.came & 1) || AGENT.known[1] || TRULY_LIFTED(1, WITNESSED));
#endif
#if MUTANT == HEAD_LOST_AT_LAPSE
    HELD_TRUE(nothing_new_while_outstanding, AGENT.running || !(AGENT.truly_told & 3) || HOLDS(m, 1) || HOLDS(m, 2));
#endif
    permit_to_run(m)
}

/* = sekisho.agent.halting:Halting.halted */
inline say_halted(m) {
    AGENT.halted = AGENT.halted | DEMANDED(m);
#if MUTANT == RECEIPT_BEFORE_KEPT
    /* The agent dies between the two, and starts again. */
    AGENT.known[1] = (AGENT.known[1] == ON_SIGHT -> 0 : AGENT.known[1]);
    AGENT.known[2] = (AGENT.known[2] == ON_SIGHT -> 0 : AGENT.known[2]);
#endif
    skip
}

/* = sekisho.ports.driver:Driver.kill */
inline halt(m) {
    AGENT.running = 0;
    AGENT.until = 0
}

/* = sekisho.agent.watchdog:decide_due */
inline decide_due(m) {
#if MUTANT == NO_WATCHDOG
    skip
#else
    if
    :: now >= AGENT.until -> halt(m)
    :: else
    fi
#endif
}

/* = sekisho.licensing.leases:decide_lease */
inline decide_lease(m) {
#ifdef TRACE
    AGENT.answer = now + 1;
    AGENT.heads = LOG_HEADS
#else
    AGENT.lease = now + 1
#endif
}

/* = sekisho.licensing.leases:accept_lease */
inline accept_lease(m) {
#ifdef TRACE
    AGENT.lease = (AGENT.answer > AGENT.lease -> AGENT.answer : AGENT.lease);
    AGENT.answer = 0;
    AGENT.heads = 0
#else
    skip
#endif
}

#define REACHES_ONE(m, o) (!(orders[o].names & 1) || IS_HEARD(m, 1) || (KIND(2) == PAUSE && IS_HEARD(m, 2)))
#ifdef TWIN
#define REACHES_TWO(m, o) (!(orders[o].names & 2) || IS_HEARD(m, 2) || IS_HEARD(m, 1))
#else
#define REACHES_TWO(m, o) (!(orders[o].names & 2) || IS_NUMBERED(m))
#endif
#if MUTANT == RESUME_ON_SIGHT
#define IS_RELEASE_SHOWN(o) (orders[o].state >= DRAFTED && IS_MET(o, 0))
#elif MUTANT == CAP_LIFTED_ON_SIGHT
#define IS_RELEASE_SHOWN(o) (orders[o].state == WITNESSED || (orders[o].names == 2 && orders[o].state >= DRAFTED && IS_MET(o, 0)))
#else
#define IS_RELEASE_SHOWN(o) (orders[o].state == WITNESSED)
#endif
#define IS_RELEASE_TAKEN(m, o) (IS_RELEASE_SHOWN(o) && !hosts[m].known[o] && REACHES_ONE(m, o) && REACHES_TWO(m, o))
#if MUTANT == CAP_ON_SIGHT
#define ACTS_ON_SIGHT(o) true
#else
#define ACTS_ON_SIGHT(o) (!IS_CAP(o))
#endif
#define IS_SIGHTED(m, o) (ACTS_ON_SIGHT(o) && orders[o].state >= DRAFTED && hosts[m].known[o] == 0 && IS_MET(o, 0) && IS_TAKEN_AS(m, o) && !(LAPSES(o) && EARLIEST(m) >= EXPIRES))
#define IS_PROVED(m, o) (orders[o].state == WITNESSED && hosts[m].known[o] != PROVED && IS_TAKEN_AS(m, o))
#ifdef TRACE
#define IS_TOLD(m, o) (orders[o].state == WITNESSED && !(hosts[m].told & BIT(o)) && hosts[m].known[o] != PROVED)
#else
#define IS_TOLD(m, o) (orders[o].state == WITNESSED && !(hosts[m].told & BIT(o)) && !HOLDS(m, o))
#endif
#ifdef TRACE
#define IS_WANTED(m) (hosts[m].answer != now + 1 && hosts[m].lease != now + 1)
#else
#define IS_WANTED(m) (hosts[m].lease != now + 1)
#endif
#define IS_ACCEPTED(m) (!(HEARD(m) & (15 - hosts[m].heads)) && now < NOT_AFTER(hosts[m].answer) && !IS_COVERED(m))

/* = sekisho.agent.duty:Duty */
proctype agent(byte m) {
    do
    /* an order by any channel, without proof */
    :: d_step { IS_SIGHTED(m, 1) -> take_on_sight(m, 1); TOLD(Sight, m, 1) }
    :: d_step { IS_SIGHTED(m, 2) -> take_on_sight(m, 2); TOLD(Sight, m, 2) }
    /* an order with its proof in a witnessed checkpoint */
    :: d_step { IS_PROVED(m, 1) -> take_proved(m, 1); TOLD(Prove, m, 1) }
    :: d_step { IS_PROVED(m, 2) -> take_proved(m, 2); TOLD(Prove, m, 2) }
    :: d_step { IS_RELEASE_TAKEN(m, FIRST_RELEASE) -> take_release(m, FIRST_RELEASE); TOLD(Prove, m, FIRST_RELEASE) }
#if RELEASES > 1
    :: d_step { IS_RELEASE_TAKEN(m, FIRST_RELEASE + 1) -> take_release(m, FIRST_RELEASE + 1); TOLD(Prove, m, FIRST_RELEASE + 1) }
#endif
    /* what is in force, by its keeper's word */
    :: d_step { IS_TOLD(m, 1) && IS_TAKEN_AS(m, 1) -> hear_heads(m, 1); TOLD(Tell, m, 1) }
    :: d_step { IS_TOLD(m, 2) && IS_TAKEN_AS(m, 2) -> hear_heads(m, 2); TOLD(Tell, m, 2) }
#ifdef TRACE
    :: d_step { IS_TOLD(m, FIRST_RELEASE) -> hear_heads(m, FIRST_RELEASE); TOLD(Tell, m, FIRST_RELEASE) }
#if RELEASES > 1
    :: d_step { IS_TOLD(m, FIRST_RELEASE + 1) -> hear_heads(m, FIRST_RELEASE + 1); TOLD(Tell, m, FIRST_RELEASE + 1) }
#endif
    /* what must not be taken: too few keys, another digest at a number, a release without a witness */
    :: d_step { IS_RARE && orders[1].state >= DRAFTED && AGENT.known[1] == 0 && !IS_SIGHTED(m, 1) -> TOLD(Refuse, m, 1) }
    :: d_step { IS_RARE && orders[2].state >= DRAFTED && AGENT.known[2] == 0 && !IS_SIGHTED(m, 2) -> TOLD(Refuse, m, 2) }
    :: d_step { IS_RARE && orders[FIRST_RELEASE].state >= DRAFTED && AGENT.known[FIRST_RELEASE] == 0 -> TOLD(Refuse, m, FIRST_RELEASE) }
    :: d_step { IS_RARE && orders[1].state == WITNESSED && AGENT.known[1] == 0 && !IS_PROVED(m, 1) -> TOLD(RefuseProof, m, 1) }
    :: d_step { IS_RARE && orders[2].state == WITNESSED && AGENT.known[2] == 0 && !IS_PROVED(m, 2) -> TOLD(RefuseProof, m, 2) }
    :: d_step { IS_RARE && orders[FIRST_RELEASE].state == WITNESSED && AGENT.known[FIRST_RELEASE] == 0 && !IS_RELEASE_TAKEN(m, FIRST_RELEASE) -> TOLD(RefuseProof, m, FIRST_RELEASE) }
#endif
    /* the agent dies, its work goes on under the watchdog; it starts again, and knows what it had kept */
    :: d_step { IS_RARE && (AGENT.known[1] || AGENT.known[2] || AGENT.known[3]) -> wake(m); TOLD(Restart, m, 0) }
#if MUTANT == EXPIRY_BY_LATEST
    :: d_step { !AGENT.ahead -> AGENT.ahead = 1; TOLD(Jump, m, 0) }
#endif
#ifdef LAG
    :: d_step { AGENT.behind -> AGENT.behind = 0; lapses(m); TOLD(Hear, m, 0) }
#endif
#ifdef OUTAGE
#if MUTANT == OUTAGE_BY_ONE
    :: d_step { outage != 0 && !AGENT.outage -> HELD_TRUE(outage_by_two, outage_by == 2); AGENT.outage = 1; TOLD(Learn, m, 0) }
#else
    :: d_step { outage != 0 && !AGENT.outage && outage_by == 2 -> AGENT.outage = 1; TOLD(Learn, m, 0) }
#endif
#endif
    /* the issuer answers; its answer comes later, or never */
    :: d_step { IS_GRANTED(m) && IS_WANTED(m) -> decide_lease(m); TOLD(Grant, m, 0) }
#ifdef TRACE
    :: d_step { AGENT.answer && IS_ACCEPTED(m) -> accept_lease(m); TOLD(Accept, m, 0) }
    :: d_step { AGENT.answer && !IS_ACCEPTED(m) -> AGENT.answer = 0; AGENT.heads = 0; TOLD(GiveBack, m, 0) }
#endif
    :: d_step { MAY_BEGIN(m) -> begin(m); TOLD(Begin, m, 0) }
    :: d_step { IS_RARE && AGENT.running -> halt(m); TOLD(Stop, m, 0) }
    :: d_step { !AGENT.running && (DEMANDED(m) & (3 - AGENT.halted)) -> say_halted(m); TOLD(Halt, m, 0) }
    od
}

#ifdef OUTAGE
#define IS_IN_TIME(o) (now <= orders[o].index + LEASE + GRACE || (outage && outage_by == 2 && now <= OUTAGE_END))
#define IS_IDLE(m) (!hosts[m].running)
#else
#define IS_IDLE(m) true
#define IS_IN_TIME(o) (now <= orders[o].index + LEASE + GRACE)
#endif

/* = environment: the true time passes; the watchdogs look at their clocks */
proctype time() {
    byte m;
    do
    :: d_step { now < TICKS && IS_PACED ->
        now++;
        do
        :: m < HOSTS ->
            if
            :: AGENT.running ->
                /* Invariant 7: the longest lease and its grace after its index nobody in an order's scope works, heard or not. */
                HELD_TRUE(invariant_7, !(COVERS(m, 1) && STANDS(1)) || IS_IN_TIME(1));
                HELD_TRUE(invariant_7, !(COVERS(m, 2) && STANDS(2) && !IS_CAP(2)) || IS_IN_TIME(2));
                decide_due(m)
            :: else
            fi;
#ifdef TRACE
            AGENT.late = IS_OUTSTANDING(m);
#endif
            lapses(m);
            /* An order that no witness has shown here for a day asks nothing any more. */
            HELD_TRUE(lapses_at_last, !(AGENT.known[1] == ON_SIGHT && EARLIEST(m) - AGENT.seen[1] > DEADLINE && DEMANDS(m, 1)));
            HELD_TRUE(lapses_at_last, !(AGENT.known[2] == ON_SIGHT && EARLIEST(m) - AGENT.seen[2] > DEADLINE && DEMANDS(m, 2)));
#ifdef TRACE
            note_since(m);
            if
            :: AGENT.answer && now >= NOT_AFTER(AGENT.answer) -> AGENT.answer = 0; AGENT.heads = 0
            :: else
            fi;
#endif
            if
            :: AGENT.lease && now >= NOT_AFTER(AGENT.lease) && IS_IDLE(m) -> AGENT.lease = 0
            :: else
            fi;
            m++
        :: else -> break
        od;
        m = 0;
        TOLD(Tick, 0, 0) }
    od
}

init {
#ifdef LAG
    d_step { hosts[0].behind = 1; hosts[HOSTS - 1].behind = 1 };
#endif
    atomic { run desk(); run agent(0);
#if HOSTS > 1
        run agent(1);
#endif
        run time() }
}
