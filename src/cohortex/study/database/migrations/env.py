"""How Alembic reaches the database: through the engine it is given."""

from alembic import context

from cohortex.study.database.tables import Base

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
